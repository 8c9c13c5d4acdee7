package models

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"sync/atomic"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/sitehooks/sitehooks/models/secret"
)

// SecretChange is the change of a stored secret; the zero value keeps it.
type SecretChange struct {
	Set   string
	Clear bool
}

// Header is a custom header of a webhook.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// WebhookInput is a checked form, or a checked definition of an API.
type WebhookInput struct {
	Type, Name, Location, Community, TagMode string
	Key                                      string // empty: none
	Events, Tags                             []string
	// URL is the target; URLShown the part that may be shown.
	URL, URLShown string
	Secrets       [2]SecretChange
	Headers       []Header // nil: keep
	Options       map[string]string
	// Paused creates the webhook stopped; a save changes no state.
	Paused bool
	// PauseFirst stops an active webhook together with a save.
	PauseFirst bool
	// Before are the sealed values of the version that is replaced, when the
	// caller has opened them; nil: they are opened for the audit log.
	Before *Opened
}

// Opened has the sealed values of a webhook, decrypted.
type Opened struct {
	URL     string
	Secrets [2]string // empty: none
	Headers []Header
}

// CustomHeaders are the names and values of the headers, in order.
func (o Opened) CustomHeaders() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for _, h := range o.Headers {
			if !yield(h.Name, h.Value) {
				return
			}
		}
	}
}

// Webhooks are the subscriptions.
type Webhooks struct {
	s     *Store
	known atomic.Pointer[census]
}

// InstallationID is Store.PublicID.
func (x *Webhooks) InstallationID() string { return x.s.publicID }

// Create stores a new webhook, active unless it is to be paused, and owned by
// its author. Errors: ErrFull; ErrExists when another webhook has its key.
func (x *Webhooks) Create(ctx context.Context, by Actor, in WebhookInput) (_ Webhook, err error) {
	defer wrap(&err, "create webhook")
	var w Webhook
	err = x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		now, err := x.s.db.Now(tx)
		if err != nil {
			return err
		}
		if err := checkCapacity(tx, in.Location); err != nil {
			return err
		}
		if err := x.s.keyIsFree(tx, 0, in.Key); err != nil {
			return err
		}
		owner, err := x.s.ownerFor(tx, by)
		if err != nil {
			return err
		}
		var newest int64
		if err := tx.Model(&Event{}).Select("coalesce(max(id), 0)").Scan(&newest).Error; err != nil {
			return err
		}
		w = Webhook{
			Type: in.Type, State: WebhookActive, OwnerID: owner, OwnerName: by.Name, CreatedAt: now, AfterEvent: newest,
			Events: []string{}, Tags: []string{}, Options: map[string]string{},
		}
		if in.Paused {
			w.State, w.StateAt, w.StateBy = WebhookStopped, &now, by.Name
		}
		if err := tx.Create(&w).Error; err != nil { // the id is part of the sealing context
			return err
		}
		if err := x.apply(&w, by, now, in); err != nil {
			return err
		}
		if err := tx.Select("*").Updates(&w).Error; err != nil {
			return err
		}
		if err := tx.Create(&Lane{WebhookID: w.ID}).Error; err != nil {
			return err
		}
		if err := x.s.newVersion(tx, w, by, now); err != nil {
			return err
		}
		return auditAt(tx, by, now, w.Location, "webhook.created", label(w), "sends to "+w.URLShown)
	})
	return w, err
}

// Update saves a webhook over the version of updatedAt. Moving it to another
// location drops waiting deliveries. Errors: *ConflictError when it was saved
// since; ErrNotFound; ErrFull; ErrExists when another webhook has its key.
func (x *Webhooks) Update(ctx context.Context, by Actor, id int64, updatedAt time.Time, in WebhookInput) (_ Webhook, err error) {
	defer wrap(&err, "update webhook %d", id)
	var w Webhook
	dropped := dropCounts{}
	err = x.s.db.TxLong(ctx, func(tx *gorm.DB) error {
		old, err := x.locked(tx, id)
		if err != nil {
			return err
		}
		if !old.UpdatedAt.Equal(updatedAt) {
			return &ConflictError{By: old.UpdatedBy}
		}
		now, err := x.s.db.Now(tx)
		if err != nil {
			return err
		}
		if old.Location != in.Location {
			if err := checkCapacity(tx, in.Location); err != nil {
				return err
			}
		}
		if old.Key != in.Key {
			if err := x.s.keyIsFree(tx, id, in.Key); err != nil {
				return err
			}
		}
		w = old
		if err := x.replace(tx, &w, by, now, in); err != nil {
			return err
		}
		changed := x.changes(old, w, in)
		if err := x.s.newVersionAfter(tx, w, by, now, changed); err != nil {
			return err
		}
		if old.Location != w.Location {
			_, n, err := drop(tx, id, now, "the webhook has moved to another location")
			if err != nil {
				return err
			}
			dropped = dropCounts{w.Type: n}
		}
		return auditAt(tx, by, now, oneLocation(old.Location, w.Location), "webhook.saved", label(w), changed)
	})
	return w, x.s.countDropped(dropped, err)
}

// replace saves the input over a locked webhook, which it stops before if that
// was asked for.
func (x *Webhooks) replace(tx *gorm.DB, w *Webhook, by Actor, now time.Time, in WebhookInput) error {
	if in.PauseFirst && w.State == WebhookActive {
		if err := x.pause(tx, w, by, now); err != nil {
			return err
		}
	}
	if err := x.apply(w, by, now, in); err != nil {
		return err
	}
	return tx.Select("*").Updates(w).Error
}

// apply writes the input over the webhook and seals its secret values.
func (x *Webhooks) apply(w *Webhook, by Actor, now time.Time, in WebhookInput) error {
	w.Name, w.Location, w.Community, w.Key = in.Name, in.Location, in.Community, in.Key
	w.Events, w.TagMode, w.Tags = orEmpty(in.Events), in.TagMode, orEmpty(in.Tags)
	w.URL, w.URLShown, w.Options = x.s.box.Seal(in.URL, sealFor(w.ID, PartURL)), in.URLShown, in.Options
	if w.Options == nil {
		w.Options = map[string]string{}
	}
	for i, c := range in.Secrets {
		if !c.Clear && c.Set == "" {
			continue
		}
		sealed, setAt, usedAt := w.secretSlot(i)
		*sealed, *setAt, *usedAt = "", nil, nil
		if c.Set != "" {
			*sealed, *setAt = x.s.box.Seal(c.Set, sealFor(w.ID, slotName(i))), &now
		}
	}
	if in.Headers != nil {
		text, err := json.Marshal(in.Headers)
		if err != nil {
			return err
		}
		w.Headers = ""
		if len(in.Headers) > 0 {
			w.Headers = x.s.box.Seal(string(text), sealFor(w.ID, "headers"))
		}
	}
	// A save always moves the time on, so that two never look the same.
	if !now.After(w.UpdatedAt) {
		now = w.UpdatedAt.Add(time.Microsecond)
	}
	w.UpdatedAt, w.UpdatedBy = now, by.Name
	return nil
}

// orEmpty keeps a nil list from becoming a null in the database.
func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func (w *Webhook) secretSlot(i int) (sealed *secret.Sealed, setAt, usedAt **time.Time) {
	if i == 0 {
		return &w.Secret1, &w.Secret1SetAt, &w.Secret1UsedAt
	}
	return &w.Secret2, &w.Secret2SetAt, &w.Secret2UsedAt
}

func slotName(i int) string { return [2]string{PartSecret1, PartSecret2}[i] }

func sealFor(id int64, what string) string { return fmt.Sprintf("webhook:%d:%s", id, what) }

func label(w Webhook) string { return fmt.Sprintf("webhook %d %q", w.ID, w.Name) }

// Open returns the sealed values, decrypted, for a request.
func (x *Webhooks) Open(w Webhook) (_ Opened, err error) {
	defer wrap(&err, "open secrets of webhook %d", w.ID)
	var o Opened
	if o.URL, err = x.s.box.Open(w.URL, sealFor(w.ID, PartURL)); err != nil {
		return Opened{}, err
	}
	for i := range o.Secrets {
		sealed, _, _ := w.secretSlot(i)
		if o.Secrets[i], err = x.s.box.Open(*sealed, sealFor(w.ID, slotName(i))); err != nil {
			return Opened{}, err
		}
	}
	text, err := x.s.box.Open(w.Headers, sealFor(w.ID, "headers"))
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &o.Headers)
	}
	return o, err
}

// Get returns a webhook of the locations, or ErrNotFound also when it was
// deleted.
func (x *Webhooks) Get(ctx context.Context, within LocationSet, id int64) (_ Webhook, err error) {
	defer wrap(&err, "get webhook %d", id)
	var w Webhook
	return w, found(within.where(x.s.db.WithContext(ctx), "location").Take(&w, "id = ? and deleted_at is null", id))
}

// GetAny returns a webhook of the locations, deleted or not, or ErrNotFound.
func (x *Webhooks) GetAny(ctx context.Context, within LocationSet, id int64) (_ Webhook, err error) {
	defer wrap(&err, "get webhook %d", id)
	var w Webhook
	return w, found(within.where(x.s.db.WithContext(ctx), "location").Take(&w, id))
}

// locked returns a webhook that stays as it is until the transaction ends.
func (x *Webhooks) locked(tx *gorm.DB, id int64) (Webhook, error) {
	var w Webhook
	return w, found(tx.Clauses(forUpdate).Take(&w, "id = ? and deleted_at is null", id))
}

// newVersion records the webhook's filter and state as they are from now on,
// and tells every dispatcher's match index that something changed.
func (s *Store) newVersion(tx *gorm.DB, w Webhook, by Actor, now time.Time) error {
	return s.newVersionAfter(tx, w, by, now, "")
}

// newVersionAfter is newVersion with a description of what was changed.
func (s *Store) newVersionAfter(tx *gorm.DB, w Webhook, by Actor, now time.Time, changes string) error {
	version, err := nextVersion(tx)
	if err != nil {
		return err
	}
	return tx.Create(&WebhookVersion{
		WebhookID: w.ID, Version: version, At: now, By: by.Name, Type: w.Type, Name: w.Name, Location: w.Location,
		Events: w.Events, TagMode: w.TagMode, Tags: w.Tags, Community: w.Community,
		State: w.State, Reason: w.StateReason, Deleted: w.DeletedAt != nil, Changes: changes,
	}).Error
}

// VersionsAt returns, of each webhook that was at the location, its newest
// version not above the given one (0: as now). Deleted ones are left out.
func (x *Webhooks) VersionsAt(ctx context.Context, location string, version int64) (_ []WebhookVersion, err error) {
	defer wrap(&err, "get versions of webhooks of %s", location)
	if version == 0 {
		version = 1<<62 - 1
	}
	db := x.s.db.WithContext(ctx)
	were := db.Model(&WebhookVersion{}).Select("webhook_id").Where("location = ?", location)
	var rows []WebhookVersion
	err = newestVersions(db, version, were).Where("v.location = ? and not v.deleted", location).Order("v.webhook_id").Find(&rows).Error
	return rows, err
}

// newestVersions selects the newest versions, not above the given one, of
// webhooks, which are ids or a query.
func newestVersions(db *gorm.DB, version int64, webhooks any) *gorm.DB {
	newest := db.Model(&WebhookVersion{}).Select("webhook_id, max(version) as version").
		Where("version <= ? and webhook_id in (?)", version, webhooks).Group("webhook_id")
	return db.Table("webhook_versions v").Select("v.*").
		Joins("join (?) newest on newest.webhook_id = v.webhook_id and newest.version = v.version", newest)
}

// History returns a webhook's versions while it was at one of the locations,
// newest first.
func (x *Webhooks) History(ctx context.Context, within LocationSet, id int64, limit int) (_ []WebhookVersion, err error) {
	defer wrap(&err, "list versions of webhook %d", id)
	var rows []WebhookVersion
	return rows, within.where(x.s.db.WithContext(ctx), "location").Order("id desc").Limit(limit).Find(&rows, "webhook_id = ?", id).Error
}

// All returns every webhook that is not deleted together with the version of
// the match index they make up.
func (x *Webhooks) All(ctx context.Context) (_ []Webhook, _ int64, err error) {
	defer wrap(&err, "list webhooks")
	return x.s.allWebhooks(x.s.db.WithContext(ctx))
}

func (s *Store) allWebhooks(tx *gorm.DB) ([]Webhook, int64, error) {
	version, err := matchVersion(tx, "")
	for err == nil {
		var rows []Webhook
		if err = tx.Order("id").Find(&rows, "deleted_at is null").Error; err != nil {
			break
		}
		var after int64
		// Read again until nothing changed in between.
		if after, err = matchVersion(tx, ""); err == nil && after == version {
			return rows, version, nil
		}
		version = after
	}
	return nil, 0, err
}

// nextVersion says that a webhook is not as it was.
func nextVersion(tx *gorm.DB) (version int64, err error) {
	row := versionRow{ID: 1}
	err = tx.Model(&row).Clauses(clause.Returning{}).Update("version", gorm.Expr("version + 1")).Error
	return row.Version, err
}

// matchVersion is asked for by each run of dispatch, so it goes past gorm's
// reflection.
func matchVersion(tx *gorm.DB, lock string) (version int64, err error) {
	return version, tx.Raw("select version from match_versions where id = 1" + lock).Scan(&version).Error
}
