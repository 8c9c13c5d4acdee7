package models

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"gorm.io/gorm"
)

// Tokens are the bearer tokens of the APIs.
type Tokens struct{ s *Store }

const (
	// tokenPrefix makes a token recognisable to people and to secret scanners.
	tokenPrefix = "shk_"
	tokenBytes  = 32 // random ones, written in hex
)

func hashToken(plain string) string {
	sum := sha256.Sum256([]byte(plain))
	return hex.EncodeToString(sum[:])
}

// Create stores a token's hash and returns the token itself, which is not
// kept: 256 random bits, so a plain hash is enough.
func (t *Tokens) Create(ctx context.Context, tok Token) (_ string, err error) {
	defer wrap(&err, "create token")
	now, err := t.s.Now(ctx)
	if err != nil {
		return "", err
	}
	return createToken(t.s.db.WithContext(ctx), tok, now)
}

func createToken(tx *gorm.DB, tok Token, now time.Time) (plain string, err error) {
	var raw [tokenBytes]byte
	_, _ = rand.Read(raw[:]) // never fails
	plain = tokenPrefix + hex.EncodeToString(raw[:])
	tok.Hash, tok.CreatedAt = hashToken(plain), now
	return plain, tx.Create(&tok).Error
}

// authenticateWithin leaves enough time for the rest of the request.
const authenticateWithin = 2 * time.Second

// Authenticate finds the token that is not revoked, or returns ErrUnauthorized.
// The look-up is by a hash, so its timing tells nothing about the token. Last
// use is noted at most once a minute.
func (t *Tokens) Authenticate(ctx context.Context, plain string) (_ Token, err error) {
	defer wrap(&err, "authenticate token")
	if !strings.HasPrefix(plain, tokenPrefix) || len(plain) != len(tokenPrefix)+2*tokenBytes {
		return Token{}, ErrUnauthorized // and no question to the database
	}
	ctx, cancel := context.WithTimeout(ctx, authenticateWithin)
	defer cancel()
	var tok Token
	err = found(t.s.db.WithContext(ctx).Take(&tok, "hash = ? and revoked_at is null", hashToken(plain)))
	if errors.Is(err, ErrNotFound) {
		return Token{}, ErrUnauthorized
	}
	if err != nil {
		return Token{}, err
	}
	// This process's clock will do here, and spares a question to the database.
	if now := time.Now().UTC().Truncate(time.Microsecond); tok.LastUsedAt == nil || now.Sub(*tok.LastUsedAt) > time.Minute {
		err = t.s.db.WithContext(ctx).Model(&Token{}).Where("id = ?", tok.ID).Update("last_used_at", now).Error
	}
	return tok, err
}

// ConfiguredUsed notes that the token of SITEHOOKS_INGEST_TOKEN was used.
// Calling it once a minute is often enough.
func (t *Tokens) ConfiguredUsed(ctx context.Context) (err error) {
	defer wrap(&err, "record use of the configured token")
	ctx, cancel := context.WithTimeout(ctx, authenticateWithin)
	defer cancel()
	now := time.Now().UTC().Truncate(time.Microsecond)
	return t.s.db.WithContext(ctx).Model(&installation{ID: 1}).Update("ingest_token_used_at", now).Error
}

// ConfiguredUsedAt returns when the token of SITEHOOKS_INGEST_TOKEN was last
// used, to a minute; nil: never.
func (t *Tokens) ConfiguredUsedAt(ctx context.Context) (_ *time.Time, err error) {
	defer wrap(&err, "read use of the configured token")
	var row installation
	err = t.s.db.WithContext(ctx).Select("ingest_token_used_at").Take(&row, 1).Error
	return row.IngestTokenUsedAt, err
}
