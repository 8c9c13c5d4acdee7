package models

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// Place is a location, or with one of the others a community or a tag of it.
type Place struct{ Location, Community, Tag string }

// words are what a place is, and how the audit log names it.
func (p Place) words() (what, target string) {
	switch {
	case p.Community != "":
		return "community", p.Location + "/" + p.Community
	case p.Tag != "":
		return "tag", p.Location + "/" + p.Tag
	default:
		return "location", p.Location
	}
}

// rows is the query of a place's row.
func (p Place) rows(tx *gorm.DB) *gorm.DB {
	switch {
	case p.Community != "":
		return tx.Model(&Community{}).Where("location = ? and slug = ?", p.Location, p.Community)
	case p.Tag != "":
		return tx.Model(&Tag{}).Where("location = ? and name = ?", p.Location, p.Tag)
	default:
		return tx.Model(&Location{}).Where("slug = ?", p.Location)
	}
}

// PlaceUses counts the references to a place.
type PlaceUses struct {
	Webhooks, Tokens, Sources int64
	Members                   int64 // limited to the location
	Events                    bool  // at least one is kept
}

// None tells that nothing refers to the place.
func (u PlaceUses) None() bool { return u == PlaceUses{} }

// InUseError refuses to remove a place with references.
type InUseError struct{ Uses PlaceUses }

func (e *InUseError) Error() string {
	return fmt.Sprintf("%d webhooks, %d tokens, %d sources, %d members, events: %t", e.Uses.Webhooks, e.Uses.Tokens, e.Uses.Sources, e.Uses.Members, e.Uses.Events)
}

// usesPatience is how long to look for an event that has a tag or community,
// for which there is no index.
const usesPatience = 5 * time.Second

// Uses returns the references to a place. Error: context.DeadlineExceeded if
// the location has too many events to look at all of them.
func (l *Locations) Uses(ctx context.Context, p Place) (_ PlaceUses, err error) {
	defer wrap(&err, "count uses of a location")
	ctx, cancel := context.WithTimeout(ctx, usesPatience)
	defer cancel()
	db := l.s.db.WithContext(ctx)
	uses, err := p.uses(db)
	if err != nil || uses.Events || p == (Place{Location: p.Location}) {
		return uses, err
	}
	events := db.Where("location = ?", p.Location)
	if p.Community != "" {
		events = events.Where("community = ?", p.Community)
	} else {
		events = events.Where("tags like ? escape '!'", likeItem(p.Tag))
	}
	uses.Events, err = anyEvent(events)
	if ctx.Err() != nil {
		err = ctx.Err() // not the driver's word for it
	}
	return uses, err
}

// uses counts the references that an index finds: no events of a community or a
// tag.
func (p Place) uses(db *gorm.DB) (uses PlaceUses, err error) {
	webhooks := db.Model(&Webhook{}).Where("deleted_at is null and location = ?", p.Location)
	switch {
	case p.Community != "":
		webhooks = webhooks.Where("community = ?", p.Community)
	case p.Tag != "":
		webhooks = webhooks.Where("tag_mode = ? and tags like ? escape '!'", TagsSpecific, likeItem(p.Tag))
	default:
		if uses.Events, err = anyEvent(db.Where("location = ?", p.Location)); err != nil {
			return uses, err
		}
		err = db.Model(&Token{}).Where("revoked_at is null and location = ?", p.Location).Count(&uses.Tokens).Error
		if err == nil {
			err = db.Model(&Source{}).Where("location = ?", p.Location).Count(&uses.Sources).Error
		}
		if err == nil {
			err = db.Model(&User{}).Where("limited and locations like ? escape '!'", likeItem(p.Location)).Count(&uses.Members).Error
		}
		if err != nil {
			return uses, err
		}
	}
	return uses, webhooks.Count(&uses.Webhooks).Error
}

func anyEvent(events *gorm.DB) (bool, error) {
	var ids []int64
	err := events.Model(&Event{}).Limit(1).Pluck("id", &ids).Error
	return len(ids) > 0, err
}

// Remove removes a place that nothing refers to, a location with its
// communities and tags. An event that names it registers it anew. Errors:
// ErrNotFound, also for the main site, *InUseError, and those of Uses.
func (l *Locations) Remove(ctx context.Context, by Actor, p Place) (err error) {
	defer wrap(&err, "remove a location")
	if p == (Place{Location: MainLocation}) {
		return ErrNotFound
	}
	uses, err := l.Uses(ctx, p)
	if err == nil && !uses.None() {
		err = &InUseError{uses}
	}
	if err != nil {
		return err
	}
	err = l.change(ctx, func(tx *gorm.DB, now time.Time) error {
		uses, err := p.uses(tx) // another transaction may have been quicker
		if err != nil {
			return err
		}
		if !uses.None() {
			return &InUseError{uses}
		}
		return p.remove(tx, by, now)
	})
	if err == nil {
		l.forget()
	}
	return err
}

// remove deletes the rows and notes it in the audit log.
func (p Place) remove(tx *gorm.DB, by Actor, now time.Time) error {
	if p == (Place{Location: p.Location}) {
		for _, of := range []any{&Community{}, &Tag{}} {
			if err := tx.Where("location = ?", p.Location).Delete(of).Error; err != nil {
				return err
			}
		}
	}
	rows := p.rows(tx)
	res := rows.Delete(rows.Statement.Model)
	switch {
	case res.Error != nil:
		return res.Error
	case res.RowsAffected == 0:
		return ErrNotFound
	}
	return p.note(tx, by, now, placeChange{true, "removed", ""})
}
