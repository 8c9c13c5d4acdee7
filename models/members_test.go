package models_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// lines are the newest entries of the audit log: action, target and detail.
func lines(t *testing.T, s *models.Store, n int) []string {
	t.Helper()
	rows, _, err := s.Audit.Search(t.Context(), models.AuditQuery{Within: models.AllLocations(), Limit: n})
	ok(t, err)
	var out []string
	for _, r := range rows {
		out = append(out, r.Action+"|"+r.Target+"|"+r.Detail)
	}
	return out
}

// want compares values; an error only has to be the wanted one within.
func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	gotErr, _ := any(got).(error)
	wantErr, isErr := any(want).(error)
	if got != want && (!isErr || !errors.Is(gotErr, wantErr)) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestMembers(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		first, err := s.Users.Invite(t.Context(), mary, models.User{Email: "A@x.example", Name: "Zoe", Role: models.RoleAdministrator})
		ok(t, err)
		second, err := s.Users.Invite(t.Context(), mary, models.User{Email: "b@x.example", Name: "adam", Role: models.RoleViewer})
		ok(t, err)
		_, err = s.Users.Invite(t.Context(), mary, models.User{Email: "B@X.example", Role: models.RoleViewer})
		want(t, "twice", err, models.ErrExists)
		for _, u := range []models.User{first, second} {
			ok(t, s.Sessions.Save(t.Context(), models.Session{Key: u.Email, UserID: u.ID, Data: []byte{}}))
		}
		members, err := s.Users.Members(t.Context())
		ok(t, err)
		if len(members) != 2 || members[0].Name != "adam" || members[0].SeenAt == nil || members[1].Email != "a@x.example" {
			t.Errorf("members: %+v", members)
		}
		_, err = s.Users.SetRole(t.Context(), mary, first.ID, models.RoleViewer)
		want(t, "demote the last", err, models.ErrLastAdministrator)
		_, err = s.Users.Remove(t.Context(), mary, first.ID)
		want(t, "remove the last", err, models.ErrLastAdministrator)
		_, err = s.Users.SetRole(t.Context(), mary, second.ID, models.RoleAdministrator)
		ok(t, err)
		_, err = s.Users.GivePassword(t.Context(), mary, second.ID, "hash")
		ok(t, err)
		got, err := s.Users.Get(t.Context(), second.ID)
		ok(t, err)
		if !got.MustChangePassword || got.PasswordHash != "hash" || got.Role != models.RoleAdministrator {
			t.Errorf("second: %+v", got)
		}
		_, err = s.Sessions.Get(t.Context(), second.Email)
		want(t, "session after a new password", err, models.ErrNotFound)
		_, err = s.Users.Remove(t.Context(), mary, first.ID)
		ok(t, err)
		_, err = s.Sessions.Get(t.Context(), first.Email)
		want(t, "session of who was removed", err, models.ErrNotFound)
		_, err = s.Users.Remove(t.Context(), mary, first.ID)
		want(t, "removed twice", err, models.ErrNotFound)
		log := lines(t, s, 3)
		want(t, "audit", log[0], "member.removed|a@x.example|administrator")
		want(t, "audit", log[2], "member.role|b@x.example|viewer → administrator")
	})
}

// TestFirstAdministrator: of several instances that start at once one makes the
// first administrator, and none does where there is a member.
func TestFirstAdministrator(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		var wg sync.WaitGroup
		var made [6]bool
		for i := range made {
			wg.Go(func() {
				first := models.User{Email: fmt.Sprintf("First%d@Example.com", i), PasswordHash: "x", Role: models.RoleAdministrator, MustChangePassword: true}
				var err error
				if made[i], err = s.Users.CreateFirst(t.Context(), first); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		members, err := s.Users.Members(t.Context())
		ok(t, err)
		if len(members) != 1 {
			t.Fatalf("%d members", len(members))
		}
		for i, made := range made {
			if mine := members[0].Email == fmt.Sprintf("first%d@example.com", i); made != mine {
				t.Errorf("instance %d says that it made the first administrator: %v, which is %s", i, made, members[0].Email)
			}
		}
		if first := members[0]; first.Role != models.RoleAdministrator || !first.MustChangePassword || !strings.HasPrefix(first.Name, "first") {
			t.Errorf("made %+v", first.User)
		}
		again, err := s.Users.CreateFirst(t.Context(), models.User{Email: "second@example.com", Role: models.RoleAdministrator})
		ok(t, err)
		n, err := s.Users.Count(t.Context())
		ok(t, err)
		if again || n != 1 {
			t.Errorf("a second first one: %v, %d members", again, n)
		}
	})
}

func TestOneAdministratorIsLeft(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		var ids [4]int64
		for i := range ids {
			u, err := s.Users.Invite(t.Context(), mary, models.User{Email: string(rune('a'+i)) + "@x.example", Role: models.RoleAdministrator})
			ok(t, err)
			ids[i] = u.ID
		}
		var wg sync.WaitGroup
		for _, id := range ids {
			wg.Go(func() {
				if _, err := s.Users.Remove(t.Context(), mary, id); err != nil && !errors.Is(err, models.ErrLastAdministrator) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		n, err := s.Users.Count(t.Context())
		ok(t, err)
		want(t, "left", n, 1)
	})
}

func TestTokensListed(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		admin, err := s.Users.Create(t.Context(), models.User{Email: "mary@example.com", Name: mary.Name, Role: models.RoleAdministrator})
		ok(t, err)
		plain, err := s.Tokens.Issue(t.Context(), admin.Actor(), models.Token{Name: "site", Scope: models.ScopeIngest, Location: "main"})
		ok(t, err)
		_, err = s.Tokens.Issue(t.Context(), admin.Actor(), models.Token{Name: "crm", Scope: models.ScopeSuperOffice})
		ok(t, err)
		tok, err := s.Tokens.Authenticate(t.Context(), plain)
		ok(t, err)
		want(t, "made by", tok.CreatedBy, mary.Name)
		_, err = s.Tokens.Revoke(t.Context(), mary, tok.ID)
		ok(t, err)
		_, err = s.Tokens.Revoke(t.Context(), mary, tok.ID)
		want(t, "revoked twice", err, models.ErrNotFound)
		_, err = s.Tokens.Authenticate(t.Context(), plain)
		want(t, "revoked", err, models.ErrUnauthorized)
		rows, err := s.Tokens.List(t.Context(), models.AllLocations())
		ok(t, err)
		if len(rows) != 2 || rows[0].Name != "crm" || rows[1].RevokedAt == nil {
			t.Errorf("tokens: %+v", rows)
		}
		log := lines(t, s, 3)
		want(t, "audit", log[0], "token.revoked|site (1)|ingest, main")
		want(t, "audit", log[1], "token.created|crm|superoffice, all locations")
	})
}

// TestTokenOfAMemberWhoIsGone: while its maker is a member, a token acts for
// them; later it goes on, for nobody.
func TestTokenOfAMemberWhoIsGone(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		_, err := s.Users.Create(t.Context(), models.User{Email: "mary@example.com", Name: "Mary", Role: models.RoleAdministrator})
		ok(t, err)
		maker, err := s.Users.Create(t.Context(), models.User{Email: "tony@example.com", Name: "Tony", Role: models.RoleAdministrator})
		ok(t, err)
		plain, err := s.Tokens.Issue(t.Context(), maker.Actor(), models.Token{Name: "crm", Scope: models.ScopeSuperOffice})
		ok(t, err)
		tok, err := s.Tokens.Authenticate(t.Context(), plain)
		ok(t, err)
		want(t, "before", tok.Actor(), models.Actor{UserID: maker.ID, Name: "Tony"})
		_, err = s.Users.Remove(t.Context(), mary, maker.ID)
		ok(t, err)
		tok, err = s.Tokens.Authenticate(t.Context(), plain)
		ok(t, err)
		want(t, "after", tok.Actor(), models.Actor{Name: "token crm"})
		want(t, "made by", tok.CreatedBy, "Tony")
	})
}

// TestARemovedMemberOwnsNothing: a request accepted before its member was
// removed leaves no webhook with a removed owner.
func TestARemovedMemberOwnsNothing(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		_, err := s.Users.Create(t.Context(), models.User{Email: "mary@example.com", Name: "Mary", Role: models.RoleAdministrator})
		ok(t, err)
		tony, err := s.Users.Create(t.Context(), models.User{Email: "tony@example.com", Name: "Tony", Role: models.RoleAdministrator})
		ok(t, err)
		input := models.WebhookInput{Type: "generic", Name: "late", Location: "main", TagMode: models.TagsAll}
		w, err := s.Webhooks.Create(t.Context(), tony.Actor(), input)
		ok(t, err)
		want(t, "owner before", w.OwnerID, tony.ID)
		_, err = s.Users.Remove(t.Context(), mary, tony.ID)
		ok(t, err)
		w, err = s.Webhooks.Create(t.Context(), tony.Actor(), input)
		ok(t, err)
		want(t, "owner after", w.OwnerID, 0)
		want(t, "made by", w.OwnerName, "Tony")
		want(t, "claim", s.Webhooks.Claim(t.Context(), tony.Actor(), w.ID), models.ErrNotFound)
	})
}

// TestNoTokenOfAMemberWhoIsGone: a request accepted before its member was
// removed, disabled or made a viewer creates no token that was not in the
// administrator's list.
func TestNoTokenOfAMemberWhoIsGone(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		_, err := s.Users.Create(t.Context(), models.User{Email: "mary@example.com", Name: "Mary", Role: models.RoleAdministrator})
		ok(t, err)
		input := models.Token{Name: "late", Scope: models.ScopeIngest}
		for how, end := range map[string]func(id int64) (models.User, error){
			"removed":       func(id int64) (models.User, error) { return s.Users.Remove(t.Context(), mary, id) },
			"disabled":      func(id int64) (models.User, error) { return s.Users.Disable(t.Context(), mary, id) },
			"made a viewer": func(id int64) (models.User, error) { return s.Users.SetRole(t.Context(), mary, id, models.RoleViewer) },
		} {
			maker, err := s.Users.Create(t.Context(), models.User{Email: how + "@example.com", Name: how, Role: models.RoleAdministrator})
			ok(t, err)
			var both sync.WaitGroup
			both.Go(func() {
				if _, err := s.Tokens.Issue(t.Context(), maker.Actor(), input); err != nil && !errors.Is(err, models.ErrNotFound) {
					t.Errorf("%s at the same moment: %v", how, err)
				}
			})
			_, err = end(maker.ID)
			ok(t, err)
			both.Wait()
			before, err := s.Tokens.List(t.Context(), models.AllLocations())
			ok(t, err)
			for _, tok := range before { // the one made at the same moment, if it came first
				if how == "removed" && tok.CreatedBy == how && (tok.CreatedByID != 0 || !tok.MakerRemoved) {
					t.Errorf("a token of a removed member: %+v", tok)
				}
			}
			_, err = s.Tokens.Issue(t.Context(), maker.Actor(), input)
			want(t, how, err, models.ErrNotFound)
			after, err := s.Tokens.List(t.Context(), models.AllLocations())
			ok(t, err)
			want(t, "tokens of one who is "+how, len(after), len(before))
		}
	})
}

func TestLocationsListed(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		ok(t, s.Locations.Create(t.Context(), mary, "team", models.Label{Name: "Team"}))
		want(t, "twice", s.Locations.Create(t.Context(), mary, "team", models.Label{Name: "Other"}), models.ErrExists)
		e := event("e")
		e.Location, e.Community, e.Tags = "team", "c", []string{"go", "sql"}
		_, _, err := s.Events.Record(t.Context(), []models.NewEvent{e, event("f")})
		ok(t, err)
		rows, matched, err := s.Locations.Page(t.Context(), models.AllLocations(), models.NameQuery{Limit: 10})
		ok(t, err)
		if len(rows) != 2 || matched != 2 || rows[0].Slug != "main" || rows[1].Name != "Team" || rows[1].Communities != 1 || rows[1].Tags != 2 || rows[1].Webhooks != 0 {
			t.Errorf("locations: %+v", rows)
		}
		want(t, "audit", lines(t, s, 1)[0], "location.created|team|Team")
	})
}

func TestLocationsAndCommunitiesAreDescribed(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		db, at := s.DB().WithContext(t.Context()), s.DB().NowFunc()
		ok(t, db.Exec("insert into locations (slug, name, created_at) values ('team', 'Team', ?)", at).Error)
		ok(t, db.Exec("insert into communities (location, slug, created_at) values ('team', 'data-platform', ?)", at).Error)
		web := event("e")
		web.Location, web.Community = "team", "web"
		_, _, err := s.Events.Record(t.Context(), []models.NewEvent{web})
		ok(t, err)

		l := s.Locations
		ok(t, l.Describe(t.Context(), mary, "team", models.Label{Name: "Team é", Description: "All of us"}))
		ok(t, l.Describe(t.Context(), mary, "team", models.Label{Name: "Team é", Description: "All of us"}))
		ok(t, l.Describe(t.Context(), mary, "team", models.Label{Name: "Team é"}))
		ok(t, l.DescribeCommunity(t.Context(), mary, "team", "data-platform", models.Label{Name: "Data platform", Description: "Pipes"}))
		ok(t, l.DescribeCommunity(t.Context(), mary, "team", "data-platform", models.Label{Name: "Data", Description: "Pipes"}))
		label := models.Label{Name: "x"}
		want(t, "unknown location", l.Describe(t.Context(), mary, "nobody", label), models.ErrNotFound)
		want(t, "unknown community", l.DescribeCommunity(t.Context(), mary, "main", "web", label), models.ErrNotFound)
		for i, line := range []string{
			"community.renamed|team/data-platform|Data platform → Data", "community.described|team/data-platform|(nothing) → Pipes",
			"location.described|team|All of us → (nothing)", "location.described|team|(nothing) → All of us", "location.renamed|team|Team → Team é",
		} {
			want(t, "audit", lines(t, s, 5)[i], line)
		}
		rows, few, err := l.FewCommunities(t.Context(), models.AllLocations(), 2)
		ok(t, err)
		if !few || len(rows) != 2 || rows[0].Title() != "Data" || rows[0].Description != "Pipes" || rows[1].Title() != "Web" {
			t.Errorf("communities: %+v", rows)
		}
		none, few, err := l.FewCommunities(t.Context(), models.AllLocations(), 1)
		ok(t, err)
		want(t, "more than one", few || len(none) > 0, false)
		_, err = l.Community(t.Context(), "main", "web")
		want(t, "a community elsewhere", err, models.ErrNotFound)
	})
}

func TestAuditSearched(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		start := clock.Now()
		for _, slug := range []string{"a", "b", "c_d"} {
			ok(t, s.Locations.Create(t.Context(), mary, slug, models.Label{Name: "100% " + slug}))
			clock.Add(1e9)
		}
		_, err := s.Tokens.Issue(t.Context(), models.Actor{Name: "Other"}, models.Token{Name: "site", Scope: models.ScopeIngest})
		ok(t, err)
		for _, c := range []struct {
			q    models.AuditQuery
			n    int
			next bool
		}{
			{models.AuditQuery{Within: models.AllLocations()}, 4, false},
			{models.AuditQuery{Within: models.AllLocations(), Limit: 2}, 2, true},
			{models.AuditQuery{Within: models.AllLocations(), Who: "Other"}, 1, false},
			{models.AuditQuery{Within: models.AllLocations(), Subject: "location"}, 3, false},
			{models.AuditQuery{Within: models.AllLocations(), Subject: "loc"}, 0, false},
			{models.AuditQuery{Within: models.AllLocations(), Search: "0% C_D"}, 1, false},
			{models.AuditQuery{Within: models.AllLocations(), Search: "%_"}, 0, false},
			{models.AuditQuery{Within: models.AllLocations(), From: start.Add(1e9)}, 3, false},
			{models.AuditQuery{Within: models.AllLocations(), To: start.Add(1e9)}, 1, false},
		} {
			if c.q.Limit == 0 {
				c.q.Limit = 10
			}
			rows, next, err := s.Audit.Search(t.Context(), c.q)
			ok(t, err)
			if len(rows) != c.n || (next > 0) != c.next {
				t.Errorf("%+v: %d rows, next %d", c.q, len(rows), next)
			}
		}
		people, err := s.Audit.People(t.Context(), models.AllLocations())
		ok(t, err)
		if len(people) != 2 || people[0] != "Mary Wilkins" {
			t.Errorf("people: %v", people)
		}
	})
}

func TestDatabaseDescribed(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		d, err := s.Database(t.Context())
		ok(t, err)
		if d.Bytes < 1000 || d.Schema < 1 || d.Version == "" || d.Kind == "SQLite" != (s.SQLite() != nil) {
			t.Errorf("%+v", d)
		}
		want(t, "keys", len(s.KeyIDs()), 1)
		workers, err := s.Lanes.Workers(t.Context())
		ok(t, err)
		want(t, "workers", len(workers), 0)
	})
}
