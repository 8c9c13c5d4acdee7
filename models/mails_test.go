package models_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// due takes all e-mails that are due, as "kind to recipient: webhooks".
func due(t *testing.T, s *models.Store) (list []string, mails []models.Mail) {
	t.Helper()
	for {
		one, err := s.Mails.Next(t.Context())
		if errors.Is(err, models.ErrNotFound) {
			slices.Sort(list)
			return list, mails
		}
		ok(t, err)
		words := []string{one.Kind, "to", one.Recipient + ":"}
		for _, w := range one.Webhooks {
			words = append(words, w.Name)
		}
		list, mails = append(list, strings.Join(words, " ")), append(mails, one)
	}
}

// Owners are told of what happened to their webhooks, once, and administrators
// of those without an owner. The address of a webhook's settings is told as well.
func TestMailsTellWhoIsResponsible(t *testing.T) {
	const day = 24 * time.Hour
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		expect := func(what string, want ...string) []models.Mail {
			t.Helper()
			ok(t, s.Mails.Collect(t.Context(), snapshot(t, s)))
			list, mails := due(t, s)
			if !slices.Equal(list, want) {
				t.Errorf("%s: %q, want %q", what, list, want)
			}
			return mails
		}
		ok(t, s.Settings.Change(t.Context(), mary, models.EnableGenericWebhooks, "True", "why"))
		user := func(email, role string, limited ...string) models.User {
			u, err := s.Users.Create(t.Context(), models.User{Email: email, Name: email, Role: role, Limited: len(limited) > 0, Locations: limited})
			ok(t, err)
			return u
		}
		owner := user("owner@example.com", models.RoleViewer)
		user("admin@example.com", models.RoleAdministrator)
		user("elsewhere@example.com", models.RoleAdministrator, "team-a")
		quiet := user("quiet@example.com", models.RoleAdministrator)
		ok(t, s.Users.WantsMail(t.Context(), quiet, false))
		made := func(by models.Actor, name, address string) models.Webhook {
			w, err := s.Webhooks.Create(t.Context(), by, models.WebhookInput{
				Type: "superoffice", Name: name, Location: "main", Events: []string{"contact.created"}, TagMode: models.TagsAll,
				URL: "https://example.com/", URLShown: "https://example.com/", Options: map[string]string{models.OptionErrorsEmail: address},
			})
			ok(t, err)
			return w
		}
		owned := made(owner.Actor(), "owned", "ops@example.com")
		orphan := made(models.Actor{Name: "gone"}, "orphan", "")
		expect("nothing is wrong")
		for _, w := range []models.Webhook{owned, orphan} {
			ok(t, s.Webhooks.Break(t.Context(), w.ID, "The receiver answered 410 Gone."))
		}
		mails := expect("two broke", "broken to admin@example.com: orphan", "broken to ops@example.com: owned", "broken to owner@example.com: owned")
		for _, one := range mails {
			_, err := s.Mails.Ended(t.Context(), one, nil)
			ok(t, err)
		}
		expect("they are told once")

		now, err := s.Now(t.Context())
		ok(t, err)
		ok(t, s.AddDeliveries(t.Context(), models.Delivery{
			PublicID: "held", WebhookID: owned.ID, Location: "main", EventTypes: ",contact.created,", Items: 1,
			State: models.DeliveryPending, CreatedAt: now, DueAt: &now, Body: []byte("x"),
		}))
		expect("what it holds is fresh")
		clock.Add(16 * day)
		expect("half of its time is over", "held to ops@example.com: owned", "held to owner@example.com: owned")
	})
}

// A mail that is not sent is tried again, and given up at last.
func TestMailsAreTriedAgain(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		user, err := s.Users.Create(t.Context(), models.User{Email: "jane@example.com", Role: models.RoleViewer})
		ok(t, err)
		ok(t, s.Mails.Link(t.Context(), models.MailPassword, user))
		ok(t, s.Mails.Link(t.Context(), models.MailPassword, user)) // she asks twice
		_, mails := due(t, s)
		if len(mails) != 1 {
			t.Fatalf("%d e-mails for one wish", len(mails))
		}
		tries := 0
		for givenUp := false; !givenUp; tries++ {
			if givenUp, err = s.Mails.Ended(t.Context(), mails[0], fmt.Errorf("try %d", tries)); err != nil || tries > 20 {
				t.Fatalf("try %d: %v", tries, err)
			}
			backlog, err := s.Mails.Backlog(t.Context())
			ok(t, err)
			if !givenUp && (backlog.Waiting != 1 || backlog.Error != fmt.Sprint("try ", tries)) {
				t.Errorf("try %d: the backlog is %+v", tries, backlog)
			}
			if again, _ := due(t, s); len(again) != 0 {
				t.Errorf("try %d: it is tried again at once", tries)
			}
			clock.Add(time.Hour)
			if _, again := due(t, s); !givenUp && len(again) == 1 {
				mails = again
			}
		}
		if tries < 2 {
			t.Errorf("given up after %d tries", tries)
		}
	})
}

// TestEachLinkIsSent: asked for again, once the first was sent, a link is sent
// again, up to a bound; and one for a member who was removed is no other's.
func TestEachLinkIsSent(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		now, err := s.Now(t.Context())
		ok(t, err)
		clock.Add(now.Truncate(time.Hour).Add(time.Hour).Sub(now)) // the bound is for an hour of the clock
		jane := models.User{Email: "jane@example.com", Role: models.RoleViewer}
		user, err := s.Users.Create(t.Context(), jane)
		ok(t, err)
		press := func(kind string, want int) {
			t.Helper()
			ok(t, s.Mails.Link(t.Context(), kind, user))
			_, mails := due(t, s)
			if len(mails) != want {
				t.Fatalf("%d e-mails, want %d", len(mails), want)
			}
			for _, one := range mails {
				if one.UserID != user.ID || one.Kind != kind {
					t.Errorf("it is %+v", one)
				}
				_, err := s.Mails.Ended(t.Context(), one, nil)
				ok(t, err)
			}
		}
		press(models.MailInvitation, 1)
		for range models.MailLinks {
			press(models.MailPassword, 1)
			clock.Add(time.Minute)
		}
		press(models.MailPassword, 0)
		clock.Add(time.Hour)
		press(models.MailPassword, 1)
		_, err = s.Users.Remove(t.Context(), models.Actor{}, user.ID)
		ok(t, err)
		user, err = s.Users.Create(t.Context(), jane)
		ok(t, err)
		press(models.MailPassword, 1)
		press(models.MailInvitation, 1)
	})
}

// A link is good once, for an hour, and not for a disabled member.
func TestLoginLinks(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		user, err := s.Users.Create(t.Context(), models.User{Email: "jane@example.com", Role: models.RoleViewer, MustChangePassword: true})
		ok(t, err)
		first, err := s.Users.MakeLink(t.Context(), user.ID)
		ok(t, err)
		second, err := s.Users.MakeLink(t.Context(), user.ID)
		ok(t, err)
		if _, err = s.Users.ByLink(t.Context(), first+"0"); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("a wrong link: %v", err)
		}
		got, err := s.Users.UseLink(t.Context(), first, "hash")
		ok(t, err)
		if saved, err := s.Users.Get(t.Context(), got.ID); err != nil || saved.PasswordHash != "hash" || saved.MustChangePassword {
			t.Errorf("%+v %v", saved, err)
		}
		for _, link := range []string{first, second} {
			if _, err := s.Users.UseLink(t.Context(), link, "other"); !errors.Is(err, models.ErrNotFound) {
				t.Errorf("a link after a password was chosen: %v", err)
			}
		}
		for what, change := range map[string]func() error{
			"the member changed it": func() error { return s.Users.SetPassword(t.Context(), user.ID, "mine") },
			"an administrator gave another": func() error {
				_, err := s.Users.GivePassword(t.Context(), mary, user.ID, "theirs")
				return err
			},
			"it was disabled": func() error {
				_, err := s.Users.Disable(t.Context(), mary, user.ID)
				return err
			},
		} {
			link, err := s.Users.MakeLink(t.Context(), user.ID)
			ok(t, err)
			ok(t, change())
			_, err = s.Users.Enable(t.Context(), mary, user.ID)
			ok(t, err)
			if _, err := s.Users.ByLink(t.Context(), link); !errors.Is(err, models.ErrNotFound) {
				t.Errorf("a link after %s: %v", what, err)
			}
		}
		late, err := s.Users.MakeLink(t.Context(), user.ID)
		ok(t, err)
		clock.Add(models.LoginLinkFor + time.Second)
		if _, err = s.Users.ByLink(t.Context(), late); !errors.Is(err, models.ErrNotFound) {
			t.Errorf("an expired link: %v", err)
		}
	})
}
