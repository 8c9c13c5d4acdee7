package models_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestTheLocationOfALimitedMemberStays: its slug would be free for others, whose
// webhooks the member would then see.
func TestTheLocationOfALimitedMemberStays(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		for _, slug := range []string{"team", "team-b"} {
			ok(t, s.Locations.Ensure(t.Context(), slug, models.NameOf(slug)))
		}
		u, err := s.Users.Invite(t.Context(), mary, models.User{Email: "team@x.example", Role: models.RoleViewer, Limited: true, Locations: []string{"team-b"}})
		ok(t, err)
		err = s.Locations.Remove(t.Context(), mary, models.Place{Location: "team-b"})
		if used, is := errors.AsType[*models.InUseError](err); !is || used.Uses != (models.PlaceUses{Members: 1}) {
			t.Errorf("removing it: %v", err)
		}
		if empty, err := s.Locations.Empty(t.Context(), ""); err != nil || !slices.Equal(empty, []string{"team"}) {
			t.Errorf("empty are %v, %v", empty, err)
		}
		_, err = s.Users.Limit(t.Context(), mary, u.ID, models.AllLocations())
		ok(t, err)
		ok(t, s.Locations.Remove(t.Context(), mary, models.Place{Location: "team-b"}))
	})
}

// TestMemberLimited: a member sees what they were limited to, from then on, and
// one administrator of all locations is always left.
func TestMemberLimited(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		boss, err := s.Users.Invite(t.Context(), mary, models.User{Email: "boss@x.example", Role: models.RoleAdministrator})
		ok(t, err)
		limited, err := s.Users.Invite(t.Context(), mary, models.User{
			Email: "team@x.example", Role: models.RoleAdministrator, Limited: true, Locations: []string{"go-team"},
		})
		ok(t, err)
		want(t, "of the zero user", models.User{}.Within().Has("main"), false)
		want(t, "the boss sees all", boss.Within().All(), true)

		_, err = s.Users.Limit(t.Context(), mary, boss.ID, models.OnlyLocations("main"))
		want(t, "limit the last", err, models.ErrLastAdministrator)
		_, err = s.Users.SetRole(t.Context(), mary, boss.ID, models.RoleViewer)
		want(t, "demote the last", err, models.ErrLastAdministrator)
		_, err = s.Users.Disable(t.Context(), mary, boss.ID)
		want(t, "disable the last", err, models.ErrLastAdministrator)

		_, err = s.Tokens.Issue(t.Context(), limited.Actor(), models.Token{Name: "all", Scope: models.ScopeIngest})
		want(t, "a token for all", err, models.ErrNotFound)
		_, err = s.Tokens.Issue(t.Context(), limited.Actor(), models.Token{Name: "others", Scope: models.ScopeIngest, Location: "main"})
		want(t, "a token for others", err, models.ErrNotFound)
		_, err = s.Tokens.Issue(t.Context(), limited.Actor(), models.Token{Name: "theirs", Scope: models.ScopeIngest, Location: "go-team"})
		ok(t, err)
		tokens, err := s.Tokens.OfMaker(t.Context(), limited.ID)
		ok(t, err)
		want(t, "theirs reaches main", tokens[0].Within().Has("main"), false)
		want(t, "theirs reaches its own", tokens[0].Within().Has("go-team"), true)

		_, err = s.Users.Limit(t.Context(), mary, limited.ID, models.OnlyLocations("rust-team", "main"), tokens[0].ID)
		ok(t, err)
		got, err := s.Users.Get(t.Context(), limited.ID)
		ok(t, err)
		if !got.Limited || !slices.Equal(got.Within().Slugs(), []string{"main", "rust-team"}) {
			t.Errorf("limited to %v", got.Within().Slugs())
		}
		if got := lines(t, s, 2); got[0] != "member.limited|team@x.example|go-team → main, rust-team" || got[1] != "token.revoked|theirs (1)|ingest, go-team" {
			t.Errorf("audit: %v", got)
		}
		_, err = s.Users.Limit(t.Context(), mary, limited.ID, models.AllLocations())
		ok(t, err)
		_, err = s.Users.Limit(t.Context(), mary, boss.ID, models.OnlyLocations("main"))
		ok(t, err)
		_, err = s.Users.Limit(t.Context(), mary, 99, models.AllLocations())
		want(t, "an unknown one", err, models.ErrNotFound)
	})
}
