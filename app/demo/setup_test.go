package demo

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// newStore is a store that was set up, with the secrets the receiver was told.
func newStore(t *testing.T, receiverURL string) (*models.Store, map[string][]string) {
	t.Helper()
	store := modelstest.Open(t, modelstest.Options(t, "sqlite"))
	messages := map[string][]string{}
	err := SetUp(t.Context(), store, receiverURL, func(name string, secrets ...string) { messages[name] = secrets })
	if err != nil {
		t.Fatal(err)
	}
	return store, messages
}

func TestSetUp(t *testing.T) {
	store, messages := newStore(t, "http://127.0.0.1:9999")
	settings, err := store.Settings.Get(t.Context())
	if err != nil || !settings.GenericEnabled || settings.DispatchInterval.Seconds() != 2 || settings.DispatchDelay.Seconds() != 3 {
		t.Errorf("settings %+v, %v", settings, err)
	}
	page, err := store.Webhooks.List(t.Context(), models.WebhookQuery{Within: models.AllLocations(), Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"Python Accepted Answers · J Marshall · Python Wranglers", "New backend questions · Mary Wilkins · DevCentral",
		"Anything a11y · JR Winger · Accessibility", "All test activities #soe-test · Test Engineering Admin · SOE Test",
	}
	var got []string
	for _, row := range page.Rows {
		got = append(got, row.Name+" · "+row.OwnerName+" · "+row.LocationName)
		if _, ok := wire.Lookup(row.Type); !ok {
			t.Errorf("%s is of the unknown type %q", row.Name, row.Type)
		}
		if len(row.Events) == 0 {
			t.Errorf("%s listens to nothing", row.Name)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("webhooks:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if names := slices.Sorted(maps.Keys(messages)); len(names) != 4 {
		t.Errorf("the receiver was told of %q", names)
	}
	if secrets := messages["python-accepted-answers"]; len(secrets) != 2 || secrets[0] == "" || secrets[0] == secrets[1] {
		t.Error("the first sample does not have two different secrets")
	}
	locations, _, err := store.Locations.Few(t.Context(), models.AllLocations(), 100)
	if err != nil || len(locations) != len(sampleLocations()) || locations[0].Slug != models.MainLocation {
		t.Errorf("locations %v, %v", locations, err)
	}
}

func TestSetUpAgainKeepsEverythingButTheAddress(t *testing.T) {
	store, messages := newStore(t, "http://127.0.0.1:9999")
	all, _, err := store.Webhooks.All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	by := models.Actor{Name: "somebody"}
	if _, err := store.Webhooks.Delete(t.Context(), by, all[0].ID); err != nil {
		t.Fatal(err)
	}
	if err := store.Settings.Change(t.Context(), by, models.DispatchDelay, "60", "slower"); err != nil {
		t.Fatal(err)
	}
	again := map[string][]string{}
	err = SetUp(t.Context(), store, "http://127.0.0.1:7777", func(name string, secrets ...string) { again[name] = secrets })
	if err != nil {
		t.Fatal(err)
	}
	now, _, err := store.Webhooks.All(t.Context())
	if err != nil || len(now) != len(all)-1 {
		t.Fatalf("%d webhooks, %v; a deleted sample came back", len(now), err)
	}
	for _, w := range now {
		if opened, err := store.Webhooks.Open(w); err != nil || !strings.HasPrefix(opened.URL, "http://127.0.0.1:7777/") {
			t.Errorf("%s sends to %s, %v", w.Name, opened.URL, err)
		}
	}
	if settings, err := store.Settings.Get(t.Context()); err != nil || settings.DispatchDelay.Seconds() != 60 {
		t.Errorf("delay %s, %v", settings.DispatchDelay, err)
	}
	for name, secrets := range again {
		if !slices.Equal(secrets, messages[name]) {
			t.Errorf("the secrets of %s changed", name)
		}
	}
}

// TestSamplesMatchTheStory follows the opening through the one rule of
// matching: each sample webhook gets something, and each location has events
// that its webhook leaves out or a reason why there are none.
func TestSamplesMatchTheStory(t *testing.T) {
	for _, sample := range sampleWebhooks() {
		in, err := sample.input("http://127.0.0.1:9999")
		if err != nil {
			t.Fatal(err)
		}
		format, _ := wire.Lookup(in.Type)
		w := models.Webhook{Location: in.Location, TagMode: in.TagMode, Tags: in.Tags, Community: in.Community}
		story := newStory(1, modelstest.NewClock().Now)
		matched := 0
		for _, e := range story.opening() {
			subject := models.MatchSubject{Kind: wire.KindOf(e.Type), Location: e.Location, Community: e.Community, Tags: e.Question.Tags}
			if models.Match(w.Filter(format.EventKinds(in.Events)), subject).OK() {
				matched++
			}
		}
		if matched == 0 {
			t.Errorf("nothing of the opening reaches %s", sample.name)
		}
	}
}
