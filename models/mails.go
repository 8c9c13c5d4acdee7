package models

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Kinds of e-mail.
const (
	MailBroken     = "broken"     // a webhook broke
	MailHeld       = "held"       // deliveries that a webhook holds expire soon
	MailFailing    = "failing"    // the day's list of webhooks that fail
	MailInvitation = "invitation" // a new member's link to choose a password
	MailPassword   = "password"   // the same for a forgotten password
)

// Mail is an e-mail to one recipient, which a job sends.
type Mail struct {
	ID        int64
	Recipient string // an e-mail address
	// About says what the mail tells, and of when; nobody is told it twice.
	About     string
	Kind      string
	UserID    int64         // the recipient; 0: an address of a webhook's settings
	Webhooks  []MailWebhook `gorm:"serializer:json"` // that it is about
	CreatedAt time.Time     `gorm:"autoCreateTime:false"`
	DueAt     time.Time
	Tries     int
	Error     string     // why the last try failed
	EndedAt   *time.Time // when it was sent, or given up
}

// MailWebhook is a webhook as an e-mail tells of it.
type MailWebhook struct {
	ID           int64
	Name, Type   string
	LocationName string
	Reason       string    // why it broke or was paused
	Code         int       // of its newest attempt while it fails; 0: there was no response
	ErrorClass   string    // why not
	Since        time.Time // of its state
	Held         int64     // deliveries that wait, counted up to HeldMax
	ExpiresAt    time.Time // when the first of them is dropped
}

// Mails are the e-mails that are to be sent.
type Mails struct{ s *Store }

const (
	// mailWebhooks is how many webhooks one look finds.
	mailWebhooks = 1000
	// mailFresh is how old a state may be of which a mail still tells.
	mailFresh = 24 * time.Hour
	// mailRetention is how long a mail is remembered after its end. A webhook rarely
	// holds deliveries longer than that.
	mailRetention = 400 * 24 * time.Hour
	// mailTries is how long sending is tried, and mailTaken how long a try has.
	mailTries = 3 * 24 * time.Hour
	mailTaken = 2 * time.Minute
	// MailLinks is how many e-mails of one kind with a link to choose a password a
	// member gets within an hour of the clock.
	MailLinks = 5
)

// Collect queues the e-mails about webhooks that need attention: to the owner,
// or to the administrators who see the webhook when it has no owner, and to the
// address of its settings. It may be called at any time, by any instance.
func (m *Mails) Collect(ctx context.Context, at Snapshot) (err error) {
	defer wrap(&err, "collect e-mails")
	webhooks, _, err := m.s.Webhooks.Troubled(ctx, AllLocations(), at, mailWebhooks)
	if err != nil {
		return err
	}
	db := m.s.db.WithContext(ctx)
	if err := db.Where("ended_at < ?", at.Now.Add(-mailRetention)).Delete(&Mail{}).Error; err != nil || len(webhooks) == 0 {
		return err
	}
	soon, err := m.expiring(db, at)
	if err != nil {
		return err
	}
	to, err := m.recipients(db, webhooks)
	if err != nil {
		return err
	}
	daily := map[mailRecipient][]MailWebhook{}
	var list []Mail
	add := func(r mailRecipient, kind, about string, webhooks ...MailWebhook) {
		list = append(list, Mail{Recipient: r.address, UserID: r.user, Kind: kind, About: kind + " " + about, Webhooks: webhooks, CreatedAt: at.Now, DueAt: at.Now})
	}
	for _, w := range webhooks {
		about := MailWebhook{ID: w.ID, Name: w.Name, Type: w.Type, LocationName: w.LocationName, Held: w.Held}
		for _, r := range to[w.ID] {
			if a, ok := soon[w.ID]; ok {
				about.Reason, about.Since, about.ExpiresAt = a.Reason, a.StateAt, a.ExpiresAt
				add(r, MailHeld, fmt.Sprint(w.ID, " ", a.StateAt.Unix()), about)
			}
			switch {
			case w.State == WebhookBroken && w.StateAt != nil && w.StateAt.After(at.Now.Add(-mailFresh)):
				about.Reason, about.Since = w.StateReason, *w.StateAt
				add(r, MailBroken, fmt.Sprint(w.ID, " ", w.StateAt.Unix()), about)
			case w.State == WebhookActive && w.Lane.FailingSince != nil:
				about.Code, about.ErrorClass, about.Since = w.Lane.LastCode, w.Lane.LastError, *w.Lane.FailingSince
				daily[r] = append(daily[r], about)
			}
		}
	}
	for r, failing := range daily {
		add(r, MailFailing, at.Now.UTC().Format(time.DateOnly), failing...)
	}
	return queueMails(db, list)
}

// expiring are the paused and broken webhooks whose held deliveries expire soon.
func (m *Mails) expiring(db *gorm.DB, at Snapshot) (map[int64]Attention, error) {
	found, err := m.s.Webhooks.holding(db, AllLocations(), at, mailWebhooks, "exists (select 1 from delivery_queue h where h.webhook_id = webhooks.id)")
	soon := map[int64]Attention{}
	for _, a := range found {
		if a.Soon {
			soon[a.WebhookID] = a
		}
	}
	return soon, err
}

type mailRecipient struct {
	address string
	user    int64
}

// recipients finds out who is told about each webhook.
func (m *Mails) recipients(db *gorm.DB, webhooks []WebhookRow) (map[int64][]mailRecipient, error) {
	ids := make([]int64, len(webhooks))
	for i, w := range webhooks {
		ids[i] = w.ID
	}
	var members []User
	var owned []Webhook
	err := errors.Join(db.Where("disabled_at is null").Order("id").Find(&members).Error,
		db.Select("id", "location", "owner_id", "options").Find(&owned, "id in ?", ids).Error)
	if err != nil {
		return nil, err
	}
	to := map[int64][]mailRecipient{}
	for _, w := range owned {
		to[w.ID] = recipientsOf(w, members)
	}
	return to, nil
}

// recipientsOf are the recipients for a webhook: its owner, or without one all
// administrators, and the address of its settings. Members who want no e-mail
// are left out.
func recipientsOf(w Webhook, members []User) (to []mailRecipient) {
	owner := func(u User) bool { return u.ID == w.OwnerID && u.Within().Has(w.Location) }
	wanted := func(u User) bool { return u.Role == RoleAdministrator && u.Within().Has(w.Location) }
	for _, u := range members {
		if owner(u) {
			wanted = owner
		}
	}
	for _, u := range members {
		if wanted(u) && !u.NoMail {
			to = append(to, mailRecipient{u.Email, u.ID})
		}
	}
	if address := w.Options[OptionErrorsEmail]; address != "" {
		for _, r := range to {
			if r.address == FoldEmail(address) {
				return to
			}
		}
		to = append(to, mailRecipient{address: address})
	}
	return to
}

// OptionErrorsEmail is the key of the option that names an address which is told
// about failures.
const OptionErrorsEmail = "errors_email"

// queueMails stores those that are not known.
func queueMails(db *gorm.DB, list []Mail) error {
	abouts := make([]string, len(list))
	for i, one := range list {
		abouts[i] = one.About
	}
	var known []Mail
	if err := db.Select("recipient", "about").Find(&known, "about in ?", abouts).Error; err != nil {
		return err
	}
	before := map[[2]string]bool{}
	for _, one := range known {
		before[[2]string{one.Recipient, one.About}] = true
	}
	for _, one := range list {
		if before[[2]string{one.Recipient, one.About}] {
			continue
		}
		if err := db.Clauses(clause.OnConflict{DoNothing: true}).Create(&one).Error; err != nil {
			return err
		}
	}
	return nil
}

// Link queues an e-mail with a link by which a member chooses a password, unless one
// waits to be sent or MailLinks were sent within this hour. kind is MailInvitation or
// MailPassword.
func (m *Mails) Link(ctx context.Context, kind string, user User) (err error) {
	defer wrap(&err, "queue e-mail to member %d", user.ID)
	db := m.s.db.WithContext(ctx)
	now, err := m.s.db.Now(db)
	if err != nil {
		return err
	}
	return m.link(db, now, kind, user)
}

func (m *Mails) link(db *gorm.DB, now time.Time, kind string, user User) error {
	abouts := make([]string, MailLinks)
	for i := range abouts {
		abouts[i] = fmt.Sprint(kind, " ", user.ID, " ", now.Truncate(time.Hour).Unix(), " ", i+1)
	}
	var known []Mail
	if err := db.Select("ended_at").Find(&known, "about in ?", abouts).Error; err != nil {
		return err
	}
	pending := func(one Mail) bool { return one.EndedAt == nil }
	if len(known) == MailLinks || slices.ContainsFunc(known, pending) {
		return nil
	}
	return queueMails(db, []Mail{{
		Recipient: user.Email, UserID: user.ID, Kind: kind, Webhooks: []MailWebhook{}, CreatedAt: now, DueAt: now,
		About: abouts[len(known)],
	}})
}

// Next takes the e-mail that has been due for longest, for two minutes. Error:
// ErrNotFound when none is due.
func (m *Mails) Next(ctx context.Context) (_ Mail, err error) {
	defer wrap(&err, "take e-mail")
	var one Mail
	err = m.s.db.Tx(ctx, func(tx *gorm.DB) error {
		one = Mail{}
		now, err := m.s.db.Now(tx)
		if err != nil {
			return err
		}
		free := tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate, Options: clause.LockingOptionsSkipLocked})
		if err := found(free.Order("due_at").Limit(1).Take(&one, "ended_at is null and due_at <= ?", now)); err != nil {
			return err
		}
		one.Tries++
		return tx.Model(&one).Updates(map[string]any{"due_at": now.Add(mailTaken), "tries": one.Tries}).Error
	})
	return one, err
}

// Ended records how sending ended; a nil failure: it was sent. A mail that
// failed is tried again, for three days, or for an hour when it is about a
// password; then it is given up.
func (m *Mails) Ended(ctx context.Context, one Mail, failure error) (givenUp bool, err error) {
	defer wrap(&err, "record e-mail")
	now, err := m.s.Now(ctx)
	if err != nil {
		return false, err
	}
	change := map[string]any{"error": "", "ended_at": now}
	if failure != nil {
		within := mailTries
		if one.Kind == MailInvitation || one.Kind == MailPassword {
			within = LoginLinkFor
		}
		wait := min(time.Hour, 30*time.Second<<min(one.Tries, 10))
		if givenUp = now.Add(wait).After(one.CreatedAt.Add(within)); !givenUp {
			change = map[string]any{"due_at": now.Add(wait)}
		}
		change["error"] = failure.Error()
	}
	return givenUp, m.s.db.WithContext(ctx).Model(&Mail{}).Where("id = ?", one.ID).Updates(change).Error
}

// MailBacklog is what waits to be sent by e-mail.
type MailBacklog struct {
	Waiting int64
	Error   string // of the newest that failed; empty: none did
}

// Backlog tells what waits to be sent.
func (m *Mails) Backlog(ctx context.Context) (b MailBacklog, err error) {
	defer wrap(&err, "count e-mails")
	db := m.s.db.WithContext(ctx)
	err = errors.Join(db.Model(&Mail{}).Where("ended_at is null").Count(&b.Waiting).Error,
		db.Model(&Mail{}).Where("ended_at is null and error <> ''").Order("id desc").Limit(1).Select("error").Scan(&b.Error).Error)
	return b, err
}
