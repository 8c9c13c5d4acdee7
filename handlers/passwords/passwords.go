// Package passwords hashes and checks passwords. It knows no page, and bounds
// how many are in work at once.
package passwords

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"github.com/sitehooks/sitehooks/handlers/limit"
	"github.com/sitehooks/sitehooks/models"
)

// hashing is the cost of one check: 19 MiB and two passes.
var hashing = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

const (
	// Min is how many characters a new password needs.
	Min = 8
	// Max is how many bytes a password may have.
	Max = 1024
)

// Hash returns the hash to store for a password. An error other than
// of the system's random numbers is a sentence for people: too short, too long.
func Hash(password string) (string, error) {
	if err := check(password); err != nil {
		return "", err
	}
	return argon2id.CreateHash(password, hashing)
}

// check refuses a new password of fewer than Min characters or more than Max
// bytes. The error is a sentence for people.
func check(password string) error {
	if utf8.RuneCountInString(password) < Min {
		return fmt.Errorf("use at least %d characters", Min)
	}
	if len(password) > Max {
		return fmt.Errorf("use at most %d bytes", Max)
	}
	return nil
}

// Checker checks and hashes passwords, two at a time, since each takes memory
// and a core: one for strangers and one for members, so that strangers can
// make no member wait.
type Checker struct {
	Strangers *limit.Limiter // by address group
	members   *limit.Limiter // by e-mail
}

// Waiting is how many requests may wait for a check of their password.
const Waiting = 64

// Decoy is compared with when there is no such user, so that it takes as long.
// It is made with the parameters of hashing, of a random password.
const Decoy = "$argon2id$v=19$m=19456,t=2,p=1$oaHKRBuCviJslpcOC4BMfA$0xweITvtsRKiFLDpgOXXIqjMtOB0gHHPrsD8cGoEf3Q"

// New has one place for strangers and one for members. A request waits so long
// for it.
func New(wait time.Duration) *Checker {
	one := limit.Config{Places: 1, Queue: Waiting, Wait: wait}
	return &Checker{Strangers: limit.New(one), members: limit.New(one)}
}

// Place waits until a password may be checked. Error: limit.ErrBusy.
func (p *Checker) Place(ctx context.Context, from models.LoginFrom) (*limit.Place, error) {
	if from.Device != "" {
		return p.members.Acquire(ctx, from.Account)
	}
	return p.Strangers.Acquire(ctx, from.AddressGroup)
}

// Hash makes the hash of a new password that a member gives. Errors: that of the
// function Hash, and limit.ErrBusy.
func (p *Checker) Hash(ctx context.Context, member models.User, password string) (string, error) {
	if err := check(password); err != nil {
		return "", err
	}
	place, err := p.members.Acquire(ctx, member.Email)
	if err != nil {
		return "", err
	}
	defer place.Release()
	return Hash(password)
}

// Match is called with a place. An empty hash stands for an unknown user and
// never matches.
func (p *Checker) Match(password, hash string) (bool, error) {
	if len(password) > Max {
		password = ""
	}
	known := hash != ""
	if !known {
		hash = Decoy
	}
	ok, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, errors.Join(errors.New("check password"), err)
	}
	return ok && known, nil
}
