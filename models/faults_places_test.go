package models_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

func TestFaultsOfTheDatabaseWhileLocationsChange(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		f, x, everywhere := breakable(t, s), s.Locations, models.AllLocations()
		team := models.LocationState{
			Location:    models.Location{Slug: "team-a", Name: "Team A"},
			Communities: []models.Community{{Location: "team-a", Slug: "go", Name: "Go"}, {Location: "team-a", Slug: "sql", Name: "SQL"}},
		}
		var old models.LocationState
		read := func() (err error) {
			old, err = x.State(t.Context(), "team-a")
			return err
		}
		f.all(t, s, []step{
			{what: "create", do: func() error {
				return x.Create(t.Context(), mary, "team-b", models.Label{Name: "Team B", Description: "of the north"})
			}},
			{what: "read one that is new", reads: true, do: read},
			{what: "make it so", do: func() error { return x.Replace(t.Context(), mary, old, team) }},
			{what: "read it", reads: true, do: read},
			{what: "read all", reads: true, do: func() error { return only(x.States(t.Context(), everywhere, "", 10)) }},
			{what: "describe", do: func() error {
				return x.Describe(t.Context(), mary, "team-b", models.Label{Name: "Team of B", Description: "of the south"})
			}},
			{what: "describe a community", do: func() error {
				return x.DescribeCommunity(t.Context(), mary, "team-a", "go", models.Label{Name: "Golang", Description: "gophers"})
			}},
			{what: "hide", do: func() error { return x.Hide(t.Context(), mary, models.Place{Location: "team-b"}, true) }},
		})
		ok(t, read())
		next := old
		next.Communities = append([]models.Community{}, old.Communities...)
		next.Communities[1].Description, next.Location.Description = "tables", "of all"
		ok(t, x.Register(t.Context(), "team-c"))
		f.all(t, s, []step{
			{what: "change it and its communities", do: func() error { return x.Replace(t.Context(), mary, old, next) }},
			{what: "uses of a community", reads: true, do: func() error { return only(x.Uses(t.Context(), models.Place{Location: "team-a", Community: "go"})) }},
			{what: "uses of a tag", reads: true, do: func() error { return only(x.Uses(t.Context(), models.Place{Location: "team-a", Tag: "x"})) }},
			{what: "remove a community", do: func() error { return x.Remove(t.Context(), mary, models.Place{Location: "team-a", Community: "go"}) }},
			{what: "remove", do: func() error { return x.Remove(t.Context(), mary, models.Place{Location: "team-a"}) }},
			{what: "empty ones", reads: true, do: func() error { return only(x.Empty(t.Context(), "")) }},
			{what: "remove empty ones", do: func() error { return only(x.RemoveEmpty(t.Context(), mary, "")) }},
		})
		var left []string
		ok(t, s.DB().Model(&models.Location{}).Order("slug").Pluck("slug", &left).Error)
		want(t, "locations that are left", strings.Join(left, " "), "main team-b")
		text := strings.Join(lines(t, s, 30), "\n")
		for _, says := range []string{"location.created|team-a", "location.created|team-b|Team B: of the north", "location.removed|team-a", "location.removed|empty locations|team-c"} {
			want(t, says, strings.Count(text, says), 1)
		}
	})
}

func TestFaultsOfTheDatabaseWhileFollowersReport(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		f, x, everywhere := breakable(t, s), s.Sources, models.AllLocations()
		put := func(in models.CursorInput) func() error {
			return func() error { return only(x.PutCursor(t.Context(), mary, "answer", in)) }
		}
		f.all(t, s, []step{
			{what: "first report", do: put(models.CursorInput{Holder: "a", Place: new("17"), Location: "main", Lease: time.Minute})},
			{what: "it cannot read", do: put(models.CursorInput{Holder: "a", Place: new("17"), Lease: time.Minute, Error: "the database is away"})},
			{what: "it can again", do: put(models.CursorInput{Holder: "a", Place: new("18"), Lease: time.Minute})},
			{what: "its place", reads: true, do: func() error {
				_, _, err := x.Cursor(t.Context(), "answer")
				return err
			}},
		})
		c, _, err := x.Cursor(t.Context(), "answer")
		ok(t, err)
		want(t, "place", c.Place, "18")

		newSource(t, s, "team", "one secret")
		waiting := models.SourceRequest{Source: "team", Verified: true, State: models.RequestWaiting, NextAt: new(clock.Now())}
		var claimed []models.SourceRequest
		keep := func(r *models.SourceRequest) func() error { return func() error { return x.Keep(t.Context(), r) } }
		f.all(t, s, []step{
			{what: "keep one that waits", lasting: true, do: keep(&waiting)},
			{what: "claim it", do: func() (err error) {
				claimed, err = x.Waiting(t.Context(), 10, time.Minute)
				return err
			}},
		})
		want(t, "claimed", len(claimed), 1)
		r := claimed[0]
		r.State, r.Accepted = models.RequestAccepted, 1
		f.all(t, s, []step{
			{what: "read it again", do: func() error { return x.Again(t.Context(), &r, 0) }},
			{what: "keep one that is refused", lasting: true, do: keep(&models.SourceRequest{Source: "team", Verified: true, State: models.RequestRefused, Reason: "no JSON"})},
			{what: "list", reads: true, do: func() error { return only(x.List(t.Context(), everywhere)) }},
			{what: "one", reads: true, do: func() error { return only(x.Row(t.Context(), "team")) }},
			{what: "states", reads: true, do: func() error { return only(x.States(t.Context(), []string{"team"})) }},
			{what: "hours", reads: true, do: func() error { return only(x.Hours(t.Context(), []string{"team"}, time.Time{})) }},
		})
		at := snapshot(t, s)
		f.each(t, s, step{what: "troubled", reads: true, do: func() error { return only(x.Troubled(t.Context(), at, everywhere)) }})
		rows, err := x.Troubled(t.Context(), at, everywhere)
		ok(t, err)
		if len(rows) != 1 || rows[0].State.Error != "no JSON" {
			t.Errorf("troubled: %+v", rows)
		}
	})
}

func TestFaultsOfTheDatabaseWhileMembersLogIn(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		addMary(t, s)
		f, users, everywhere := breakable(t, s), s.Users, models.AllLocations()
		var jane models.User
		var link, plain string
		var tok models.Token
		f.each(t, s, step{what: "invite by e-mail", do: func() (err error) {
			jane, err = users.InviteByMail(t.Context(), mary, models.User{Email: "jane@example.com", Role: models.RoleAdministrator})
			return err
		}})
		ok(t, s.Sessions.Save(t.Context(), models.Session{Key: "of jane", UserID: jane.ID, Data: []byte{}}))
		f.all(t, s, []step{
			{what: "make a link", do: func() (err error) {
				link, err = users.MakeLink(t.Context(), jane.ID)
				return err
			}},
			{what: "who has the link", reads: true, do: func() error { return only(users.ByLink(t.Context(), link)) }},
			{what: "use the link", do: func() error { return only(users.UseLink(t.Context(), link, "hash")) }},
			{what: "issue a token", do: func() (err error) {
				plain, err = s.Tokens.Issue(t.Context(), jane.Actor(), models.Token{Name: "crm", Scope: models.ScopeIngest, Location: "main"})
				return err
			}},
			{what: "list tokens", reads: true, do: func() error { return only(s.Tokens.List(t.Context(), everywhere)) }},
		})
		tok, err := s.Tokens.Authenticate(t.Context(), plain)
		ok(t, err)
		f.all(t, s, []step{
			{what: "limit", do: func() error { return only(users.Limit(t.Context(), mary, jane.ID, models.OnlyLocations("main"))) }},
			{what: "disable", do: func() error { return only(users.Disable(t.Context(), mary, jane.ID, tok.ID)) }},
			{what: "enable", do: func() error { return only(users.Enable(t.Context(), mary, jane.ID)) }},
			{what: "change password", do: func() error { return users.SetPassword(t.Context(), jane.ID, "another hash") }},
		})
		_, err = users.ByLink(t.Context(), link)
		want(t, "the link, once it was used", err, models.ErrNotFound)
		_, err = s.Sessions.Get(t.Context(), "of jane")
		want(t, "the session, once the password was chosen", err, models.ErrNotFound)
		_, err = s.Tokens.Authenticate(t.Context(), plain)
		want(t, "the token that was revoked with her", err, models.ErrUnauthorized)
		want(t, "audit log", actions(t, s, 7), "member.added member.password token.created member.limited token.revoked member.disabled member.enabled")
	})
}

func TestFaultsOfTheDatabaseWhileMailsAreSent(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		addMary(t, s)
		ok(t, s.Settings.Change(t.Context(), mary, models.EnableGenericWebhooks, "True", "why"))
		f, w, x := breakable(t, s), create(t, s, nil), s.Mails
		jane, err := s.Users.Create(t.Context(), models.User{Email: "jane@example.com", Role: models.RoleViewer})
		ok(t, err)
		ok(t, s.Webhooks.Break(t.Context(), w.ID, "The receiver answered 410 Gone."))
		at := snapshot(t, s)
		var one models.Mail
		f.all(t, s, []step{
			{what: "collect", chunks: true, do: func() error { return x.Collect(t.Context(), at) }},
			{what: "queue a link", do: func() error { return x.Link(t.Context(), models.MailPassword, jane) }},
			{what: "take one", do: func() (err error) {
				one, err = x.Next(t.Context())
				return err
			}},
			{what: "it fails", do: func() error { return only(x.Ended(t.Context(), one, errDisk)) }},
			{what: "what waits", reads: true, do: func() error { return only(x.Backlog(t.Context())) }},
		})
		backlog, err := x.Backlog(t.Context())
		ok(t, err)
		want(t, "what waits", backlog, models.MailBacklog{Waiting: 2, Error: errDisk.Error()})
		clock.Add(time.Hour)
		list, _ := due(t, s)
		want(t, "each is sent once", strings.Join(list, ", "), "broken to mary@example.com: Python Accepted Answers, password to jane@example.com:")
	})
}

func TestFaultsOfTheDatabaseWhileSettingsChange(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		dispatchAtOnce(t, s)
		f, w := breakable(t, s), create(t, s, nil)
		ok(t, record(t, s, event("a")))
		deliver(t, s, w, "of a", "a")
		set := func(value string) func() error {
			return func() error { return s.Settings.Change(t.Context(), mary, models.EnableGenericWebhooks, value, "why") }
		}
		f.all(t, s, []step{
			{what: "off", do: set("False")},
			{what: "on", do: set("True")},
			{what: "jobs", reads: true, do: func() error { return only(s.Jobs(t.Context())) }},
			{what: "database", reads: true, do: func() error { return only(s.Database(t.Context())) }},
			{what: "workers", reads: true, do: func() error { return only(s.Lanes.Workers(t.Context())) }},
			{what: "say that it is alive", chunks: true, do: func() error { return s.Instances.Seen(t.Context(), models.Instance{ID: "one"}) }},
			{what: "who is alive", reads: true, do: func() error { return only(s.Instances.ClocksOff(t.Context())) }},
			{what: "find", reads: true, do: func() error { return only(s.Find(t.Context(), models.AllLocations(), "question 17", 5)) }},
			{what: "new id", do: func() error { return only(s.RenewPublicID(t.Context())) }},
		})
		ok(t, s.Able())
		want(t, "instances", rowsLeft(t, s, "instances"), 1) // what filled the disk for a moment is gone
		values, err := s.Settings.History(t.Context(), models.EnableGenericWebhooks)
		ok(t, err)
		want(t, "changes of the setting", len(values), 3)
	})
}
