package handlers

import (
	"context"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// Questions asked by more than one page. What only one handler asks stands
// beside it.

type webhookStore interface {
	Create(ctx context.Context, by models.Actor, in models.WebhookInput) (models.Webhook, error)
	Update(ctx context.Context, by models.Actor, id int64, updatedAt time.Time, in models.WebhookInput) (models.Webhook, error)
	Get(ctx context.Context, id int64) (models.Webhook, error)
	GetAny(ctx context.Context, id int64) (models.Webhook, error)
	Open(w models.Webhook) (models.Opened, error)
	List(ctx context.Context, q models.WebhookQuery) (models.WebhookPage, error)
	Row(ctx context.Context, w models.Webhook) (models.WebhookRow, error)
	ByIDs(ctx context.Context, ids []int64) (map[int64]models.Webhook, error)
	Newest(ctx context.Context, limit int) ([]models.Webhook, error)
	Suggest(ctx context.Context, typed string, limit int) ([]models.Webhook, error)
	Attention(ctx context.Context, at models.Standing) ([]models.Attention, error)
	OfTypes(ctx context.Context, types []string) (webhooks, held int64, err error)
	Hours(ctx context.Context, ids []int64, since time.Time) (map[int64][]models.WebhookHour, error)
	Tallies(ctx context.Context, ids []int64, since time.Time) (map[int64][]models.Tally, error)
	Pause(ctx context.Context, by models.Actor, id int64) error
	Resume(ctx context.Context, by models.Actor, id int64, drop bool) (n int64, err error)
	Heal(ctx context.Context, by models.Actor, id int64) (n int64, err error)
	Delete(ctx context.Context, by models.Actor, id int64) (dropped int64, err error)
	Waiting(ctx context.Context, id int64) (int64, error)
	VersionsAt(ctx context.Context, location string, version int64) ([]models.WebhookVersion, error)
	VersionsOf(ctx context.Context, ids []int64, version int64) (map[int64]models.WebhookVersion, error)
	History(ctx context.Context, id int64, limit int) ([]models.WebhookVersion, error)
	StateChanges(ctx context.Context, ids []int64, since time.Time) (map[int64][]models.StateChange, error)
	Claim(ctx context.Context, by models.Actor, id int64) error
	Reveal(ctx context.Context, by models.Actor, id int64, part, called string) (string, error)
}

type locationStore interface {
	Get(ctx context.Context, slug string) (models.Location, error)
	Few(ctx context.Context, most int) (rows []models.Location, few bool, err error)
	Suggest(ctx context.Context, typed string, limit int) ([]models.Location, error)
	Named(ctx context.Context, slugs ...string) ([]models.Location, error)
	Community(ctx context.Context, location, slug string) (models.Community, error)
	CommunityPage(ctx context.Context, location string, q models.NameQuery) (rows []models.Community, matched int64, err error)
	FewCommunities(ctx context.Context, most int) (rows []models.Community, few bool, err error)
	NamedCommunities(ctx context.Context, locations, slugs []string) ([]models.Community, error)
	Tags(ctx context.Context, location, prefix string, limit int) ([]string, error)
}

type eventStore interface {
	Search(ctx context.Context, q models.EventQuery) (models.EventPage, error)
	Named(ctx context.Context, eventID string, limit int) ([]models.Event, error)
	ByID(ctx context.Context, id int64) (models.Event, error)
	MergedFrom(ctx context.Context, id int64) ([]models.Event, error)
	Look(ctx context.Context, location string, since time.Time, limit int, each func(models.Event) bool) error
	ByIDs(ctx context.Context, ids []int64) ([]models.Event, error)
	CountSince(ctx context.Context, since time.Time) (int64, error)
	Matched(ctx context.Context, ids []int64, webhook int64) (map[int64]int64, error)
	Triggers(ctx context.Context, id int64) ([]models.TriggerRow, error)
	Erasure(ctx context.Context, id int64) (models.Erasure, error)
	Erase(ctx context.Context, by models.Actor, id int64) (models.Erasure, error)
}

type deliveryStore interface {
	List(ctx context.Context, q models.DeliveryQuery) (rows []models.DeliveryRow, more bool, err error)
	Search(ctx context.Context, q models.DeliveryQuery) (models.DeliveryPage, error)
	Failed(ctx context.Context, webhookID int64) (n int64, more bool, err error)
	Resendable(ctx context.Context, q models.DeliveryQuery) (models.Resendable, error)
	ResendAll(ctx context.Context, by models.Actor, q models.DeliveryQuery, among models.Resendable, what string) (models.Resending, error)
	Unsent(ctx context.Context, at time.Time) (left, held int64, err error)
	Get(ctx context.Context, publicID string) (models.DeliveryRow, error)
	Attempts(ctx context.Context, deliveryID int64) ([]models.Attempt, error)
	EventsOf(ctx context.Context, deliveryID int64) ([]models.Event, error)
	Resend(ctx context.Context, by models.Actor, publicID string) error
}
