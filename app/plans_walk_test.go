package app_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/handlers"
	"github.com/sitehooks/sitehooks/handlers/passwords"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/jobs"
	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
	"github.com/sitehooks/sitehooks/static"
	"github.com/sitehooks/sitehooks/templates"
)

// switchOn changes the settings for the walk, while there are no webhooks that
// the change would have to visit.
func switchOn(t *testing.T, s *models.Store) {
	t.Helper()
	for name, value := range map[string]string{
		models.EnableGenericWebhooks: "True", models.DispatchInterval: "0", models.DispatchDelay: "0", models.HistoryRetentionDays: "24",
	} {
		ok(t, s.Settings.Change(t.Context(), models.Actor{Name: "Mary Wilkins"}, name, value, "for the walk"))
	}
}

// walkEverything has a filled store answer all that pages and jobs ask.
func walkEverything(t *testing.T, s *models.Store, rows int) {
	t.Helper()
	by := models.Actor{UserID: 1, Name: "Mary Wilkins"}
	hash, err := passwords.Hash(apptest.AdminPassword)
	ok(t, err)
	const limited = "limited@example.com"
	for _, u := range []models.User{{Email: apptest.AdminEmail}, {Email: limited, Limited: true, Locations: []string{"team-1", "team-2", "team-3"}}} {
		u.Name, u.PasswordHash, u.Role = by.Name, hash, models.RoleAdministrator
		_, err = s.Users.Create(t.Context(), u)
		ok(t, err)
	}
	ok(t, s.Locations.Ensure(t.Context(), "walk", "Walk"))
	registry := prometheus.NewRegistry()
	sender := send.New(send.Config{AllowCIDRs: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	work, err := jobs.New(jobs.Deps{Store: s, Sender: sender, Log: slog.New(slog.DiscardHandler), Metrics: registry})
	ok(t, err)
	set, err := templates.New(web.Funcs(static.Path))
	ok(t, err)
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	address, err := url.Parse(base)
	ok(t, err)
	site, err := handlers.New(handlers.Deps{
		Store: s, Sender: sender, Templates: set, BaseURL: address, CookieKeys: [][]byte{modelstest.Key()}, Log: slog.New(slog.DiscardHandler),
		Static: static.Handler(), OnChange: work.Changed, Metrics: promhttp.HandlerFor(registry, promhttp.HandlerOpts{}),
	})
	ok(t, err)
	server.Config.Handler = site
	server.Start()
	defer server.Close()
	in := &apptest.Instance{T: t, Base: base}
	admin := in.Login()

	ok(t, work.Start(t.Context()))
	walkJobs(t, s, admin)
	ok(t, work.Stop(t.Context()))
	// From here on nothing is sent.
	walkSource(t, s, by)
	walkPages(t, admin, site.(*gin.Engine), rows)
	few := in.LoginAs(limited)
	for _, page := range apptest.LimitedPages(rows) {
		if a := few.Ask(page); !page.Answered(a) {
			t.Errorf("GET %s: %d", page.Path, a.Code)
		}
	}
	walkChanges(t, s, by, rows)
}

// walkJobs lets events be merged, dispatched and delivered, one delivery be
// sent again, and one webhook break.
func walkJobs(t *testing.T, s *models.Store, admin *apptest.Browser) {
	t.Helper()
	r := apptest.NewReceiver(t)
	gone := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }))
	t.Cleanup(gone.Close)
	for _, target := range []string{r.URL, gone.URL} {
		form := apptest.WebhookForm(target)
		form.Set("location", "walk")
		admin.CreateWebhook(form)
	}
	var events []models.NewEvent
	for i := range 3 {
		events = append(events, models.NewEvent{
			EventID: "walk-" + strconv.Itoa(i), Type: "question.created", Location: "walk", MergeKey: "walk" + strconv.Itoa(i/2),
			Payload: []byte(apptest.QuestionJSON("walk-"+strconv.Itoa(i), i, "")),
		})
	}
	_, _, err := s.Events.Record(t.Context(), events)
	ok(t, err)
	apptest.Eventually(t, "delivered", func() bool { return len(r.Got()) > 0 })
	apptest.Eventually(t, "one is broken", func() bool {
		list, err := s.Webhooks.List(t.Context(), models.WebhookQuery{Within: models.AllLocations(), Location: "walk", State: models.WebhookBroken, Limit: 1})
		ok(t, err)
		return len(list.Rows) == 1
	})
	again := r.Got()[0].ID
	apptest.Eventually(t, "recorded", func() bool {
		row, err := s.Deliveries.Get(t.Context(), models.AllLocations(), again)
		ok(t, err)
		return row.State == models.DeliveryDelivered
	})
	before := len(r.Got())
	if a := admin.Post("/admin/deliveries/"+again+"/resend", nil); a.Code != http.StatusSeeOther {
		t.Fatalf("resend: %d", a.Code)
	}
	apptest.Eventually(t, "sent again", func() bool { return len(r.Got()) > before })
}

// walkSource makes a source with its first request.
func walkSource(t *testing.T, s *models.Store, by models.Actor) {
	t.Helper()
	in := models.SourceInput{Kind: "generic", Location: "main", Secrets: [2]models.SecretChange{{Set: "a secret of the walk"}}}
	_, _, err := s.Sources.Create(t.Context(), by, "walk", in)
	ok(t, err)
	ok(t, s.Sources.Keep(t.Context(), &models.SourceRequest{Source: "walk", State: models.RequestIgnored, Headers: []byte("[]")}))
}

// walkPages reads every page of the route table, and all with their filters.
func walkPages(t *testing.T, admin *apptest.Browser, site *gin.Engine, rows int) {
	t.Helper()
	last := strconv.Itoa(rows)
	like := map[string]string{
		"/admin/webhooks/new": "?type=generic", "/admin/webhooks/location": "?location=main", "/admin/webhooks/bulk": "?do=pause&id=1&id=2",
		"/admin/deliveries/resent": "?at=1&total=5", "/developer/site-settings/edit": "?name=" + models.DispatchDelay,
		"/admin/deliveries.csv": "?webhook=100", "/admin/deliveries.json": "?webhook=100&code=4xx",
		"/admin/locations/:id/remove": "?tag=tag-7", "/admin/suggestions/:of": "?q=hot", "/admin/sources/new": "?kind=generic",
	}
	// Without mail, and before anything was sent by hand, there are no such pages.
	absent := map[string]bool{"/login/forgot": true, "/login/link/:token": true, "/admin/trigger-history/sends/:id": true}
	for _, route := range site.Routes() {
		if absent[route.Path] || route.Method != http.MethodGet || route.Path == "/static/*file" || route.Path == "/login/oidc" {
			continue
		}
		path := strings.NewReplacer("deliveries/:id", "deliveries/msg_big"+last, "locations/:id", "locations/main", ":of", "webhooks", ":name", "walk", ":kind", "answer", ":type", "generic", ":id", "1", ":event", last).Replace(route.Path)
		if a := admin.Get(path + like[route.Path]); a.Code != http.StatusOK && a.Code != http.StatusSeeOther {
			t.Errorf("GET %s: %d", path, a.Code)
		}
	}
	for _, page := range apptest.Pages(rows) {
		if a := admin.Ask(page); !page.Answered(a) {
			t.Errorf("GET %s: %d", page.Path, a.Code)
		}
	}
	if rows > models.ScanMax {
		searchOlder(t, admin)
	}
}

// searchOlder goes on where the question about resending stopped looking.
func searchOlder(t *testing.T, admin *apptest.Browser) {
	t.Helper()
	path := "/admin/deliveries/resend?code=2xx"
	for page := 1; path != ""; page++ {
		a := admin.Get(path)
		stopped := strings.Contains(a.Body, "Searched 20,000 deliveries.")
		_, rest, older := strings.Cut(a.Body, `href="/admin/deliveries/resend?before=`)
		if stopped != older || stopped != (page == 1) {
			t.Fatalf("page %d of the question: stopped %v, goes on %v", page, stopped, older)
		}
		before, _, _ := strings.Cut(rest, "&")
		if path = ""; older {
			path = "/admin/deliveries/resend?code=2xx&before=" + before
		}
	}
}

// walkChanges makes the changes that concern more than one row.
func walkChanges(t *testing.T, s *models.Store, by models.Actor, rows int) {
	t.Helper()
	ctx := t.Context()
	ok(t, s.Webhooks.Pause(ctx, by, 1))
	_, err := s.Webhooks.Resume(ctx, by, 1, false)
	ok(t, err)
	_, err = s.Webhooks.Resume(ctx, by, 50, true)
	ok(t, err)
	w, err := s.Webhooks.Get(ctx, models.AllLocations(), 2)
	ok(t, err)
	_, err = s.Webhooks.Update(ctx, by, w.ID, w.UpdatedAt, models.WebhookInput{Type: w.Type, Name: w.Name, Location: "walk", TagMode: models.TagsAll, URL: "https://hooks.example.com/"})
	ok(t, err)
	_, err = s.Webhooks.Delete(ctx, by, 100)
	ok(t, err)
	for _, q := range []models.DeliveryQuery{{State: models.DeliveryFailed, WebhookID: 1}, {CodeClass: 5}} {
		q.Within = models.AllLocations()
		_, err = s.Deliveries.ResendAll(ctx, by, q, models.Resendable{Through: int64(rows)}, "some")
		ok(t, err)
	}
	named, err := s.Events.Named(ctx, models.AllLocations(), "big-"+strconv.Itoa(rows), 50)
	ok(t, err)
	e, err := s.Events.Get(ctx, named[0].Location, named[0].EventID)
	ok(t, err)
	_, err = s.Events.Erase(ctx, by, e.ID)
	ok(t, err)
	pass := s.Pruning()
	for more := true; more; {
		p, err := pass.Step(ctx)
		ok(t, err)
		more = p.More
	}
}
