package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/limit"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

// passwordAttempt is a password to check, with its account and its sender.
type passwordAttempt struct {
	Email, Password string
	Address         string // of the client
	Device          string // browser or session with an earlier login; empty: a stranger's
}

// passwordResult is the result of a try.
type passwordResult struct {
	User models.User   // whose password it is; zero: it is wrong, or was not looked at
	Wait time.Duration // how long to wait after too many wrong ones; 0: it was looked at
	// Expired tells that it is right, but was a one-time password that is too
	// old. User is zero.
	Expired bool
}

// fault is the error message for a rejected password; empty: it is accepted.
func (r passwordResult) fault(wrong string) string {
	switch {
	case r.Wait > 0:
		return tooManyPasswords(r.Wait)
	case r.Expired:
		return "This one-time password has expired. Ask an administrator for a new one."
	case r.User.ID == 0:
		return wrong
	}
	return ""
}

// nobody is the account of tries without an e-mail. An empty one would refuse
// the tries of all accounts.
const nobody = "-"

func (t passwordAttempt) from() models.LoginFrom {
	account := cmp.Or(models.FoldEmail(t.Email), nobody)
	return models.LoginFrom{Account: account, AddressGroup: limit.AddressGroup(t.Address), Device: t.Device}
}

// authenticate is the one check of a member's password. Refusing a try costs no
// place and, where this instance knows of it, no question to the database.
func (s *Pages) authenticate(ctx context.Context, attempt passwordAttempt) (passwordResult, error) {
	if !wording.IsText(attempt.Email) {
		attempt.Email = "" // of no member
	}
	from := attempt.from()
	if wait := s.refusals.wait(from); wait > 0 {
		return passwordResult{Wait: wait}, nil
	}
	place, err := s.Passwords.Place(ctx, from)
	if err != nil {
		return passwordResult{}, web.Busy(err)
	}
	defer place.Release()
	// Failures are counted with a place, so that many tries at once do not slip
	// through before the first has failed.
	if wait := s.refusals.wait(from); wait > 0 {
		return passwordResult{Wait: wait}, nil
	}
	failures, now, err := s.Store.Users.LoginFailures(ctx, from)
	if err != nil {
		return passwordResult{}, err
	}
	if refused := refusalAfter(from, failures, now); refused.wait > 0 {
		s.refusals.remember(refused)
		return passwordResult{Wait: refused.wait}, nil
	}
	found, err := s.Store.Users.ByEmail(ctx, attempt.Email)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return passwordResult{}, err
	}
	ok, err := s.Passwords.Match(attempt.Password, found.PasswordHash)
	if err != nil {
		return passwordResult{}, err
	}
	if !ok || found.DisabledAt != nil {
		failures = append([]models.LoginFailure{{LoginFrom: from, At: now}}, failures...)
		return passwordResult{}, s.wrongPassword(ctx, found, from, failures, now)
	}
	if found.OneTimeExpired(now) {
		return passwordResult{Expired: true}, nil
	}
	return passwordResult{User: found}, s.Store.Users.ClearLoginFailures(ctx, from)
}

// wrongPassword notes a failure. The one after which more are refused goes into
// the audit log.
func (s *Pages) wrongPassword(ctx context.Context, user models.User, from models.LoginFrom, failures []models.LoginFailure, now time.Time) error {
	if err := s.Store.Users.RecordLoginFailure(ctx, from); err != nil {
		return err
	}
	refused := refusalAfter(from, failures, now)
	if refused.wait == 0 {
		return nil
	}
	s.refusals.remember(refused)
	return s.recordBurst(ctx, user, from, refused)
}

// recordBurst puts the failures that led to a refusal into the audit log. The
// typed e-mail is recorded only if a member has it: it may be a password in the
// wrong field.
func (s *Pages) recordBurst(ctx context.Context, user models.User, from models.LoginFrom, refused refusal) error {
	burst := models.LoginBurst{Target: user.Email, From: from.AddressGroup}
	words := refused.words
	switch {
	case refused.key.Account == "":
		burst.Target = from.AddressGroup
	case user.ID == 0 && refused.key.AddressGroup == "":
		return nil // an e-mail that no member has, from everywhere
	case user.ID == 0:
		burst.Target, words = from.AddressGroup, "for an unknown e-mail address"
	}
	burst.Detail = fmt.Sprintf("%d wrong passwords in %d minutes, %s", refused.failures, int(models.LoginWindow.Minutes()), words)
	return s.Store.Users.RecordLoginBurst(ctx, burst)
}

// checkOwnPassword checks the password of the member who is logged in, for a
// purpose. Wrong passwords of strangers do not block it.
func (s *Pages) checkOwnPassword(c *gin.Context, password, purpose string) (passwordResult, error) {
	user, _ := web.UserOf(c)
	got, err := s.authenticate(c.Request.Context(), passwordAttempt{
		Email: user.Email, Password: password, Address: c.ClientIP(), Device: "member " + web.FormatID(user.ID),
	})
	if why := got.refusedFor(); err == nil && why != "" {
		s.LoginRefused()
		s.Warnings.Warn(fmt.Sprint("password ", why, user.ID, purpose), "password refused: "+why,
			"member", user.Email, "purpose", purpose, "from", limit.AddressGroup(c.ClientIP()))
	}
	return got, err
}

// refusedFor is why a password was not accepted, for the log; empty: it was.
func (r passwordResult) refusedFor() string {
	switch {
	case r.User.ID != 0:
		return ""
	case r.Wait > 0:
		return "too many wrong passwords"
	case r.Expired:
		return "expired one-time password"
	}
	return "wrong password"
}

// countRefused counts and logs a log-in that was not accepted, if it was not.
func (s *Pages) countRefused(c *gin.Context, got passwordResult) {
	if why := got.refusedFor(); why != "" {
		s.loginRefused(why, "from", limit.AddressGroup(c.ClientIP()))
	}
}

// loginRefused counts a refused log-in, and logs it with others of its kind.
func (s *Pages) loginRefused(why string, args ...any) {
	s.LoginRefused()
	s.Warnings.Warn("log-in "+why, "log-in refused: "+why, args...)
}
