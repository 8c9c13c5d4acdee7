package jobs

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/sitehooks/sitehooks/jobs/letters"
	"github.com/sitehooks/sitehooks/jobs/mail"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/templates"
)

const (
	mailEvery    = 2 * time.Second  // how often what is due is sent
	collectEvery = 20 * time.Second // how often webhooks are looked at
	mailRest     = 5 * time.Second  // after an error of the database
)

// mailer tells members by e-mail what happened to their webhooks, and sends the
// links by which they choose a password.
type mailer struct {
	store     *models.Store
	sender    *mail.Sender
	log       *slog.Logger
	changed   <-chan struct{}
	collected time.Time // by this process's clock
}

func (m *mailer) run(ctx context.Context) {
	tick := time.NewTicker(mailEvery)
	defer tick.Stop()
	for {
		if err := m.once(ctx); err != nil && ctx.Err() == nil {
			m.log.ErrorContext(ctx, "e-mails could not be read; retrying", slog.Any("error", err))
			select {
			case <-ctx.Done():
			case <-time.After(mailRest):
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-m.changed:
		}
	}
}

// once queues what there is to tell, and sends all that is due.
func (m *mailer) once(ctx context.Context) error {
	if time.Since(m.collected) >= collectEvery {
		m.collected = time.Now()
		at, err := m.store.Snapshot(ctx)
		if err != nil {
			return err
		}
		if err := m.store.Mails.Collect(ctx, at); err != nil {
			return err
		}
	}
	for ctx.Err() == nil {
		one, err := m.store.Mails.Next(ctx)
		if errors.Is(err, models.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := m.send(ctx, one); err != nil {
			return err
		}
	}
	return nil
}

// send tries one mail, and records how it ended. What the instance's stop
// interrupts is tried again.
func (m *mailer) send(ctx context.Context, one models.Mail) error {
	letter, err := m.letter(ctx, one)
	if errors.Is(err, models.ErrNotFound) { // the member was removed
		_, err = m.store.Mails.Ended(ctx, one, nil)
		return err
	}
	if err != nil {
		return err
	}
	failure := m.sender.Send(ctx, mail.Message{To: one.Recipient, ID: "sitehooks-" + strconv.FormatInt(one.ID, 10) + "-" + strconv.FormatInt(one.CreatedAt.Unix(), 10), Letter: letter})
	if failure != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	givenUp, err := m.store.Mails.Ended(ctx, one, failure)
	if failure != nil {
		m.log.WarnContext(ctx, "e-mail not sent", slog.String("kind", one.Kind), slog.Bool("given_up", givenUp), slog.Any("error", failure))
	}
	return err
}

// letter writes a mail. A link to choose a password is made each time that one
// is sent, so that only its hash is stored.
func (m *mailer) letter(ctx context.Context, one models.Mail) (templates.Letter, error) {
	switch one.Kind {
	case models.MailInvitation, models.MailPassword:
		if _, err := m.store.Users.Get(ctx, one.UserID); err != nil {
			return templates.Letter{}, err
		}
		token, err := m.store.Users.MakeLink(ctx, one.UserID)
		if err != nil {
			return templates.Letter{}, err
		}
		return letters.Password(one.Kind, m.sender.Base, m.sender.Base+"/login/link/"+token), nil
	}
	return letters.Webhooks(one, m.sender.Base, m.sender.WebhookURL), nil
}
