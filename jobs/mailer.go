package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/sitehooks/sitehooks/jobs/mail"
	"github.com/sitehooks/sitehooks/jobs/wire"
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
		return passwordLetter(one.Kind, m.sender.Base, m.sender.Base+"/login/link/"+token), nil
	}
	letter := m.webhookLetter(one)
	if one.UserID != 0 {
		letter.Foot = []string{"You get this because you own the webhook, or because it has no owner. E-mails can be switched off at " + m.sender.Base + "/account."}
	} else {
		letter.Foot = []string{"You get this because your address is in the webhook's settings."}
	}
	return letter, nil
}

func passwordLetter(kind, base, link string) templates.Letter {
	letter := templates.Letter{Link: link, Button: "Choose a password"}
	if kind == models.MailInvitation {
		letter.Subject = "You can log in to Sitehooks"
		letter.Intro = []string{"An administrator added you to Sitehooks at " + base + ". Choose a password within 60 minutes:"}
		letter.Outro = []string{"Later you can ask for a new link at " + base + "/login/forgot."}
		return letter
	}
	letter.Subject = "Choose a new password for Sitehooks"
	letter.Intro = []string{"Somebody asked for a new password for your account at " + base + ". Choose it within 60 minutes:"}
	letter.Outro = []string{"If it was not you, ignore this message. Your password stays as it is."}
	return letter
}

// mailMoment is how mails write times: with the zone, since they are read
// anywhere.
const mailMoment = "January 2, 2006 at 15:04 UTC"

func (m *mailer) webhookLetter(one models.Mail) templates.Letter {
	var letter templates.Letter
	for _, w := range one.Webhooks {
		letter.Items = append(letter.Items, templates.LetterItem{
			Title: w.Name + " (" + w.LocationName + ")", Note: webhookNote(one.Kind, w), Link: m.sender.WebhookURL(w.ID),
		})
	}
	name := ""
	if len(one.Webhooks) > 0 {
		name = one.Webhooks[0].Name
	}
	switch one.Kind {
	case models.MailBroken:
		letter.Subject = "Webhook " + name + " is broken"
		letter.Intro = []string{"Nothing is sent to this webhook any more. What happens meanwhile is kept, and sent when you resume it or save it with a working receiver."}
	case models.MailHeld:
		letter.Subject = "Notifications of webhook " + name + " expire soon"
		letter.Intro = []string{"This webhook does not send, and the first of its notifications will be dropped. Resume it to send them."}
	default:
		letter.Subject = "Webhook " + name + " is failing"
		if len(one.Webhooks) > 1 {
			letter.Subject = fmt.Sprintf("%d webhooks are failing", len(one.Webhooks))
		}
		letter.Intro = []string{"The last attempts failed, three or more in a row. Sitehooks keeps trying, and tells you once a day while it lasts."}
	}
	return letter
}

func webhookNote(kind string, w models.MailWebhook) string {
	note, reason := "Since "+w.Since.UTC().Format(mailMoment), w.Reason
	if format, known := wire.Lookup(w.Type); known && kind == models.MailFailing {
		reason = format.Policy.Explain(wire.Response{Code: w.Code, ErrorClass: w.ErrorClass})
	}
	if reason != "" {
		note += ": " + reason
	} else {
		note += "."
	}
	waiting := ""
	switch {
	case w.Held == 1:
		waiting = " 1 notification waits."
	case w.Held > 1:
		waiting = fmt.Sprintf(" %d notifications wait.", w.Held)
	}
	if kind == models.MailHeld {
		waiting += " The first is dropped on " + w.ExpiresAt.UTC().Format(mailMoment) + "."
	}
	return note + waiting
}
