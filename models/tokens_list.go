package models

import (
	"context"
	"errors"
	"strconv"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// List returns the tokens that reach no other locations, those in force first, newest first.
func (t *Tokens) List(ctx context.Context, within LocationSet) (_ []Token, err error) {
	defer wrap(&err, "list tokens")
	var rows []Token
	return rows, within.where(t.s.db.WithContext(ctx), "location").
		Order("case when revoked_at is null then 0 else 1 end, id desc").Find(&rows).Error
}

// Get returns a token by its number, or ErrNotFound, also when it reaches other
// locations.
func (t *Tokens) Get(ctx context.Context, within LocationSet, id int64) (_ Token, err error) {
	defer wrap(&err, "get token %d", id)
	var tok Token
	return tok, found(within.where(t.s.db.WithContext(ctx), "location").Take(&tok, id))
}

// Issue is Create with a line in the audit log. Error: ErrNotFound when its
// creator was removed, disabled, made a viewer or limited to other locations meanwhile.
func (t *Tokens) Issue(ctx context.Context, by Actor, tok Token) (plain string, err error) {
	defer wrap(&err, "issue token")
	tok.CreatedBy, tok.CreatedByID = by.Name, by.UserID
	err = t.s.db.Tx(ctx, func(tx *gorm.DB) error {
		if err := t.s.mayIssue(tx, by, tok.Location); err != nil {
			return err
		}
		now, err := t.s.db.Now(tx)
		if err != nil {
			return err
		}
		if plain, err = createToken(tx, tok, now); err != nil {
			return err
		}
		return auditAt(tx, by, now, tok.Location, "token.created", tok.Name, tokenReach(tok))
	})
	return plain, err
}

// mayIssue returns ErrNotFound for a member who is no longer an administrator
// of the token's location; empty: of all. A change of the member waits until
// the transaction has ended, and then knows of the token.
func (s *Store) mayIssue(tx *gorm.DB, by Actor, location string) error {
	if by.UserID == 0 {
		return nil // no member
	}
	var user User
	err := found(tx.Clauses(clause.Locking{Strength: clause.LockingStrengthShare}).
		Take(&user, "id = ? and role = ? and disabled_at is null", by.UserID, RoleAdministrator))
	if err != nil {
		return err
	}
	if within := user.Within(); !within.All() && !within.Has(location) {
		return ErrNotFound
	}
	return nil
}

// OfMaker returns the tokens in force that a member made, newest first.
func (t *Tokens) OfMaker(ctx context.Context, id int64) (_ []Token, err error) {
	defer wrap(&err, "list tokens of member %d", id)
	var rows []Token
	return rows, t.s.db.WithContext(ctx).Order("id desc").Find(&rows, "created_by_id = ? and revoked_at is null", id).Error
}

// Revoke ends a token at once. Error: ErrNotFound, also when it was revoked
// already.
func (t *Tokens) Revoke(ctx context.Context, by Actor, id int64) (_ Token, err error) {
	defer wrap(&err, "revoke token %d", id)
	var tok Token
	err = t.s.db.Tx(ctx, func(tx *gorm.DB) error {
		now, err := t.s.db.Now(tx)
		if err != nil {
			return err
		}
		tok, err = revoke(tx, by, now, "id = ?", id)
		return err
	})
	return tok, err
}

// revokeOf revokes tokens of a member; ids that are not valid tokens of theirs
// are ignored.
func revokeOf(tx *gorm.DB, by Actor, now time.Time, maker int64, ids []int64) error {
	for _, id := range ids {
		_, err := revoke(tx, by, now, "id = ? and created_by_id = ?", id, maker)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

func revoke(tx *gorm.DB, by Actor, now time.Time, which string, args ...any) (tok Token, err error) {
	if err = found(tx.Where(which, args...).Where("revoked_at is null").Take(&tok)); err != nil {
		return tok, err
	}
	tok.RevokedAt = &now
	res := tx.Model(&Token{}).Where("id = ? and revoked_at is null", tok.ID).Update("revoked_at", now)
	if res.Error == nil && res.RowsAffected == 0 {
		return tok, ErrNotFound // another administrator did just now
	}
	if res.Error != nil {
		return tok, res.Error
	}
	return tok, auditAt(tx, by, now, tok.Location, "token.revoked", tok.Name+" ("+strconv.FormatInt(tok.ID, 10)+")", tokenReach(tok))
}

func tokenReach(tok Token) string {
	if tok.Location == "" {
		return tok.Scope + ", all locations"
	}
	return tok.Scope + ", " + tok.Location
}
