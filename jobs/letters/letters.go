// Package letters holds the words of each e-mail.
package letters

import (
	"fmt"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/templates"
)

// Password is the letter with a one-time link by which a member chooses a
// password, at the console's address base.
func Password(kind, base, link string) templates.Letter {
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

// moment is how letters write times: with the zone, since they are read
// anywhere.
const moment = "January 2, 2006 at 15:04 UTC"

// Webhooks is the letter about what happened to webhooks; page is the address of
// a webhook's page.
func Webhooks(one models.Mail, base string, page func(id int64) string) templates.Letter {
	var letter templates.Letter
	for _, w := range one.Webhooks {
		letter.Items = append(letter.Items, templates.LetterItem{
			Title: w.Name + " (" + w.LocationName + ")", Note: webhookNote(one.Kind, w), Link: page(w.ID),
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
	letter.Foot = []string{"You get this because your address is in the webhook's settings."}
	if one.UserID != 0 {
		letter.Foot = []string{"You get this because you own the webhook, or because it has no owner. E-mails can be switched off at " + base + "/account."}
	}
	return letter
}

func webhookNote(kind string, w models.MailWebhook) string {
	note, reason := "Since "+w.Since.UTC().Format(moment), w.Reason
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
		waiting += " The first is dropped on " + w.ExpiresAt.UTC().Format(moment) + "."
	}
	return note + waiting
}
