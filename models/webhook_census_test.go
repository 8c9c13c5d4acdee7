package models_test

import (
	"slices"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestListFollowsOtherInstances: the counts that one instance keeps of all
// webhooks are dropped after the next change, also of another instance.
func TestListFollowsOtherInstances(t *testing.T) {
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) {
			o := modelstest.Options(t, kind)
			here, there := modelstest.Open(t, o), modelstest.Open(t, o)
			ok(t, here.Locations.Ensure(t.Context(), "main", "Main site"))
			see := func(all int64, owners ...models.Owner) {
				t.Helper()
				page, err := here.Webhooks.List(t.Context(), models.WebhookQuery{Within: models.AllLocations(), Limit: 10})
				ok(t, err)
				if page.All != all || page.Matched != all || int(all) != len(page.Rows) || !slices.Equal(page.Owners, owners) {
					t.Errorf("%d webhooks of %v, want %d of %v", page.All, page.Owners, all, owners)
				}
			}
			see(0)
			addMary(t, there)
			jo, err := there.Users.Create(t.Context(), models.User{Email: "jo@example.com", Name: "Jo", Role: models.RoleViewer})
			ok(t, err)
			_, err = there.Webhooks.Create(t.Context(), mary, models.WebhookInput{Type: "generic", Name: "owned", Location: "main", TagMode: models.TagsAll})
			ok(t, err)
			w, err := there.Webhooks.Create(t.Context(), models.Actor{}, models.WebhookInput{Type: "generic", Name: "ownerless", Location: "main", TagMode: models.TagsAll})
			ok(t, err)
			see(2, models.Owner{}, models.Owner{OwnerID: 3, OwnerName: "Mary Wilkins"})
			ok(t, there.Webhooks.Claim(t.Context(), jo.Actor(), w.ID))
			see(2, models.Owner{OwnerID: jo.ID, OwnerName: "Jo"}, models.Owner{OwnerID: 3, OwnerName: "Mary Wilkins"})
			_, err = there.Users.Remove(t.Context(), mary, jo.ID)
			ok(t, err)
			see(2, models.Owner{OwnerName: "Jo"}, models.Owner{OwnerID: 3, OwnerName: "Mary Wilkins"})
			_, err = there.Webhooks.Delete(t.Context(), mary, w.ID)
			ok(t, err)
			see(1, models.Owner{OwnerID: 3, OwnerName: "Mary Wilkins"})

			began, err := here.Snapshot(t.Context())
			ok(t, err)
			ok(t, there.Settings.Change(t.Context(), mary, models.EnableGenericWebhooks, "True", "why"))
			ok(t, there.Settings.Change(t.Context(), mary, models.DispatchDelay, "7", "why"))
			at, err := here.Snapshot(t.Context())
			ok(t, err)
			settings, err := here.Settings.Get(t.Context())
			ok(t, err)
			if at.Settings != settings || at.Settings == began.Settings || at.Settings.DispatchDelay != 7*time.Second ||
				at.Now.Before(began.Now) || at.SwitchedAt.Before(began.Now) || !began.SwitchedAt.IsZero() {
				t.Errorf("it stands %+v, before %+v, the settings are %+v", at, began, settings)
			}
		})
	}
}
