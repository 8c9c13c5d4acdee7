package models

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
	"github.com/sitehooks/sitehooks/models/secret"
)

// Sources are the other systems whose activity arrives, and the followers.
type Sources struct {
	s        *Store
	requests *db.Batcher[*SourceRequest]

	mu    sync.Mutex
	tally map[sourceHourKey]sourceTally // events that are not stored as counted yet
}

func newSources(s *Store) *Sources {
	x := &Sources{s: s, tally: map[sourceHourKey]sourceTally{}}
	x.requests = db.NewBatcher(keepMost, (*SourceRequest).size, s.db.WriteWithin(), x.keep)
	return x
}

// SourceInput is a checked form, or a checked definition of an API.
type SourceInput struct {
	Kind, Location, Program string
	Fields                  map[string]string
	Secrets                 [2]SecretChange
	// NewAddress makes the old address invalid.
	NewAddress  bool
	ExpectHours int64
}

// MaxSources is how many sources there can be.
const MaxSources = 1000

// Create stores a new source. A source without a secret gets a token for its
// address, which is returned. Errors: ErrExists, ErrManySources.
func (x *Sources) Create(ctx context.Context, by Actor, name string, in SourceInput) (_ Source, token string, err error) {
	defer wrap(&err, "create source %s", name)
	var src Source
	err = x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		now, err := x.s.db.Now(tx)
		if err != nil {
			return err
		}
		if err := x.admit(tx, name); err != nil {
			return err
		}
		src = Source{Name: name, Kind: in.Kind, CreatedAt: now}
		token = x.apply(&src, by, now, in)
		if err := tx.Create(&src).Error; err != nil {
			return err
		}
		return auditAt(tx, by, now, src.Location, "source.created", sourceLabel(src), "for "+src.Location)
	})
	return src, token, err
}

// admit refuses a name that is taken, and one source too many. Changes of
// sources are few, so they follow each other.
func (x *Sources) admit(tx *gorm.DB, name string) error {
	if err := lockInstallation(tx); err != nil {
		return err
	}
	var count struct{ All, Named int64 }
	err := tx.Raw("select count(*) as \"all\", count(case when name = ? then 1 end) as named from sources", name).Scan(&count).Error
	switch {
	case err != nil:
		return err
	case count.Named > 0:
		return ErrExists
	case count.All >= MaxSources:
		return ErrManySources
	}
	return nil
}

// Update saves a source over the version of updatedAt; its kind stays. A source
// that moves to another location leaves its kept requests behind: they are
// deleted. Errors: *ConflictError when it was saved since, ErrNotFound.
func (x *Sources) Update(ctx context.Context, by Actor, name string, updatedAt time.Time, in SourceInput) (_ Source, token string, err error) {
	defer wrap(&err, "update source %s", name)
	var src Source
	err = x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		old, err := sourceLocked(tx, name)
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
		src = old
		token = x.apply(&src, by, now, in)
		if err := tx.Select("*").Updates(&src).Error; err != nil {
			return err
		}
		if src.ExpectHours != old.ExpectHours { // Silence decides anew
			if err := tx.Model(&SourceState{}).Where("source = ?", name).Update("silent_since", nil).Error; err != nil {
				return err
			}
		}
		if src.Location != old.Location {
			if err := forgetRequests(tx, name); err != nil {
				return err
			}
		}
		return auditAt(tx, by, now, oneLocation(old.Location, src.Location), "source.saved", sourceLabel(src), sourceChanges(old, src, in))
	})
	return src, token, err
}

// forgetRequests deletes the kept requests of a source and what its state says of
// them: they are of the location that the source leaves.
func forgetRequests(tx *gorm.DB, name string) error {
	if err := tx.Where("source = ?", name).Delete(&SourceRequest{}).Error; err != nil {
		return err
	}
	return tx.Model(&SourceState{}).Where("source = ?", name).Updates(map[string]any{"error": "", "error_at": nil}).Error
}

// apply writes the input over the source and seals its secrets. It returns the
// token of a new address; empty: the address stays.
func (x *Sources) apply(src *Source, by Actor, now time.Time, in SourceInput) (token string) {
	src.Location, src.Program, src.Fields, src.ExpectHours = in.Location, in.Program, in.Fields, in.ExpectHours
	if src.Fields == nil {
		src.Fields = map[string]string{}
	}
	for i, c := range in.Secrets {
		if !c.Clear && c.Set == "" {
			continue
		}
		sealed, setAt := src.secretSlot(i)
		*sealed, *setAt = "", nil
		if c.Set != "" {
			*sealed, *setAt = x.s.box.Seal(c.Set, sealSource(src.Name, slotName(i))), &now
		}
	}
	switch {
	case src.Follows():
	case in.NewAddress, !src.Signed() && src.Address == "":
		var raw [tokenBytes]byte
		_, _ = rand.Read(raw[:]) // never fails
		token = hex.EncodeToString(raw[:])
		src.Address, src.AddressHash, src.AddressSetAt = x.s.box.Seal(token, sealSource(src.Name, PartURL)), hashToken(token), &now
	}
	// A save always moves the time on, so that two never look the same.
	if !now.After(src.UpdatedAt) {
		now = src.UpdatedAt.Add(time.Microsecond)
	}
	src.UpdatedAt, src.UpdatedBy = now, by.Name
	return token
}

func sealSource(name, what string) string { return "source:" + name + ":" + what }

func sourceLabel(src Source) string { return fmt.Sprintf("source %q (%s)", src.Name, src.Kind) }

func equalHash(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// sourceChanges describes the changes of a save, old → new; of secrets, and of
// the values of fields, only that they changed.
func sourceChanges(old, src Source, in SourceInput) string {
	var parts []string
	if old.Location != src.Location {
		parts = append(parts, "location "+old.Location+" → "+src.Location)
	}
	if old.Program != src.Program {
		parts = append(parts, "program changed")
	}
	if old.ExpectHours != src.ExpectHours {
		parts = append(parts, fmt.Sprintf("expected every %d → %d hours", old.ExpectHours, src.ExpectHours))
	}
	parts = append(parts, optionChanges(old.Fields, src.Fields)...)
	for i, c := range in.Secrets {
		if sealed, _ := old.secretSlot(i); c.did(*sealed != "") != "" {
			parts = append(parts, fmt.Sprintf("signing secret %d %s", i+1, c.did(*sealed != "")))
		}
	}
	if old.AddressHash != src.AddressHash {
		parts = append(parts, "new address")
	}
	return cmp.Or(strings.Join(parts, "; "), "nothing changed")
}

// Delete removes a source with its requests, its place and its state. The events
// that it reported stay. Errors: ErrNotFound; *ConflictError when it is not of the
// version of seen, an updatedAt that may be left out.
func (x *Sources) Delete(ctx context.Context, by Actor, name string, seen ...time.Time) (err error) {
	defer wrap(&err, "delete source %s", name)
	err = x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		src, err := sourceLocked(tx, name)
		if err != nil {
			return err
		}
		if err := asSeen(seen, src.UpdatedAt, src.UpdatedBy); err != nil {
			return err
		}
		now, err := x.s.db.Now(tx)
		if err != nil {
			return err
		}
		for _, of := range []any{&SourceRequest{}, &SourceCursor{}, &SourceState{}, &SourceHour{}} {
			if err := tx.Where("source = ?", name).Delete(of).Error; err != nil {
				return err
			}
		}
		if err := tx.Where("name = ?", name).Delete(&Source{}).Error; err != nil {
			return err
		}
		return auditAt(tx, by, now, src.Location, "source.deleted", sourceLabel(src), "")
	})
	return err
}

// Get returns a source, or ErrNotFound.
func (x *Sources) Get(ctx context.Context, name string) (_ Source, err error) {
	defer wrap(&err, "get source %s", name)
	var src Source
	return src, found(x.s.db.WithContext(ctx).Take(&src, "name = ?", name))
}

// sourceLocked returns a source that stays as it is until the transaction ends.
func sourceLocked(tx *gorm.DB, name string) (Source, error) {
	var src Source
	return src, found(tx.Clauses(forUpdate).Take(&src, "name = ?", name))
}

// Open returns the secrets of a source, decrypted; empty: none.
func (x *Sources) Open(src Source) (secrets [2]string, err error) {
	defer wrap(&err, "open secrets of source %s", src.Name)
	for i := range secrets {
		sealed, _ := src.secretSlot(i)
		if secrets[i], err = x.s.box.Open(*sealed, sealSource(src.Name, slotName(i))); err != nil {
			return [2]string{}, err
		}
	}
	return secrets, nil
}

// Reveal returns a sealed part of a source in clear, PartURL being the token of
// its address, and writes the author and the name of the part to the audit log.
// Errors: ErrNotFound when there is no such source or it lacks the part,
// ErrWrongKey.
func (x *Sources) Reveal(ctx context.Context, by Actor, name, field, label string) (plain string, err error) {
	defer wrap(&err, "reveal %s of source %s", field, name)
	err = x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		src, err := sourceLocked(tx, name)
		if err != nil {
			return err
		}
		now, err := x.s.db.Now(tx)
		if err != nil {
			return err
		}
		sealed := map[string]secret.Sealed{PartSecret1: src.Secret1, PartSecret2: src.Secret2, PartURL: src.Address}[field]
		if sealed == "" {
			return ErrNotFound
		}
		if plain, err = x.s.box.Open(sealed, sealSource(name, field)); err != nil {
			return err
		}
		return auditAt(tx, by, now, src.Location, "source.revealed", sourceLabel(src), label)
	})
	if err != nil {
		return "", err
	}
	return plain, nil
}
