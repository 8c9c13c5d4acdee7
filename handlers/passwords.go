package handlers

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
)

// hashing is what one check costs: 19 MiB and two passes.
var hashing = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

const (
	passwordMin = 8    // characters
	passwordMax = 1024 // bytes
)

// HashPassword returns the hash to store for a password. An error other than
// of the system's random numbers is a sentence for people: too short, too long.
func HashPassword(password string) (string, error) {
	if err := checkPassword(password); err != nil {
		return "", err
	}
	return argon2id.CreateHash(password, hashing)
}

func checkPassword(password string) error {
	if utf8.RuneCountInString(password) < passwordMin {
		return fmt.Errorf("a password has at least %d characters", passwordMin)
	}
	if len(password) > passwordMax {
		return fmt.Errorf("a password has at most %d bytes", passwordMax)
	}
	return nil
}

// passwords checks passwords, two at a time, since each takes memory.
type passwords struct {
	turns   chan struct{}
	waiting chan struct{} // those in their turn included
}

// decoy is compared with when there is no such user, so that it takes as long.
// It is made with the parameters of hashing, of nobody's password.
const decoy = "$argon2id$v=19$m=19456,t=2,p=1$oaHKRBuCviJslpcOC4BMfA$0xweITvtsRKiFLDpgOXXIqjMtOB0gHHPrsD8cGoEf3Q"

func newPasswords() *passwords {
	return &passwords{turns: make(chan struct{}, 2), waiting: make(chan struct{}, passwordsWaiting)}
}

// turn waits until a check may start, or ctx ends, unless too many wait
// already; done lets the next one in.
func (p *passwords) turn(ctx context.Context) (done func(), err error) {
	select {
	case p.waiting <- struct{}{}:
	default:
		return nil, errBusy()
	}
	select {
	case p.turns <- struct{}{}:
		return func() { <-p.turns; <-p.waiting }, nil
	case <-ctx.Done():
		<-p.waiting
		return nil, ctx.Err()
	}
}

// match compares in a turn. An empty hash stands for a user who does not exist
// and never matches.
func (p *passwords) match(password, hash string) (bool, error) {
	if len(password) > passwordMax {
		password = ""
	}
	known := hash != ""
	if !known {
		hash = decoy
	}
	ok, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, errors.Join(errors.New("check password"), err)
	}
	return ok && known, nil
}
