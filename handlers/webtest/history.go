package webtest

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"

	"github.com/sitehooks/sitehooks/handlers"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// Download is a file with the headers that it came with.
func (b *HistoryBrowser) Download(path string) (string, http.Header) {
	b.site.Helper()
	q, err := http.NewRequestWithContext(b.site.Context(), http.MethodGet, b.site.Server.URL+path, nil)
	b.site.Must(err)
	p, err := b.Client.Do(q)
	b.site.Must(err)
	defer p.Body.Close()
	text, err := io.ReadAll(p.Body)
	if err != nil || p.StatusCode != http.StatusOK {
		b.site.Fatalf("%s: %d, %v", path, p.StatusCode, err)
	}
	return string(text), p.Header
}

// Boss is the author of the changes that a HistorySite makes.
var Boss = models.Actor{UserID: 1, Name: "Mary Wilkins"}

// HistoryBrowser keeps the cookies of one member. It follows no redirect.
type HistoryBrowser struct {
	site   *HistorySite
	Client *http.Client
	To     string // where the last answer led
}

// Do sends a request and returns the status and the page. A script in the page
// that is not one of our files fails the test.
func (b *HistoryBrowser) Do(q *http.Request, err error) (int, *goquery.Document) {
	b.site.Helper()
	b.site.Must(err)
	p, err := b.Client.Do(q)
	b.site.Must(err)
	defer p.Body.Close()
	body, err := io.ReadAll(p.Body)
	b.site.Must(err)
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(string(body)))
	b.site.Must(err)
	// Scripts of ours come from files; anything else was content.
	doc.Find("script").Each(func(_ int, script *goquery.Selection) {
		if src, ok := script.Attr("src"); !ok || !strings.HasPrefix(src, "/static/") {
			b.site.Errorf("%s: a script came with the content: %q", q.URL, script.Text())
		}
	})
	b.To = p.Header.Get("Location")
	return p.StatusCode, doc
}

// Get returns a page; a status other than 200 ends the test.
func (b *HistoryBrowser) Get(path string) *goquery.Document {
	b.site.Helper()
	status, doc := b.Do(http.NewRequestWithContext(b.site.Context(), http.MethodGet, b.site.Server.URL+path, nil))
	if status != http.StatusOK {
		b.site.Fatalf("GET %s: %d: %s", path, status, doc.Find("main").Text())
	}
	return doc
}

// Post sends a form and returns the status and the page.
func (b *HistoryBrowser) Post(path string, form url.Values) (int, *goquery.Document) {
	b.site.Helper()
	q, err := http.NewRequestWithContext(b.site.Context(), http.MethodPost, b.site.Server.URL+path, strings.NewReader(form.Encode()))
	b.site.Must(err)
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.Do(q, nil)
}

// Status is the status of a page.
func (b *HistoryBrowser) Status(path string) int {
	b.site.Helper()
	status, _ := b.Do(http.NewRequestWithContext(b.site.Context(), http.MethodGet, b.site.Server.URL+path, nil))
	return status
}

// HistoryEvent is the event of a new question at main, whose author has a name
// full of markup.
func HistoryEvent(t testing.TB, id, title string) models.NewEvent {
	t.Helper()
	payload, err := json.Marshal(map[string]any{
		"id": id, "type": "question.created", "actor": map[string]any{"user_id": 7, "display_name": "Åsa " + Nasty},
		"question": map[string]any{"question_id": 1, "title": title, "link": "https://site.example/questions/1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return models.NewEvent{
		EventID: id, Type: "question.created", Location: "main", Subject: "1", Title: title, Payload: payload,
	}
}

// HistorySite is the whole console over a store of its own, with two members.
type HistorySite struct {
	*testing.T
	Store  *models.Store
	Server *httptest.Server
	Woken  int // how often the jobs were woken after a change
}

// As is a browser in which a member of that role is logged in.
func (s *HistorySite) As(role string) *HistoryBrowser {
	s.Helper()
	email := role + "@example.com"
	_, err := s.Store.Users.Create(s.Context(), models.User{Email: email, Name: role, PasswordHash: AdminHash(), Role: role})
	s.Must(err)
	jar, err := cookiejar.New(nil)
	s.Must(err)
	b := &HistoryBrowser{site: s, Client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}}
	if status, _ := b.Post("/login", url.Values{"email": {email}, "password": {AdminPassword}}); status != http.StatusSeeOther {
		s.Fatalf("log in as %s: %d", role, status)
	}
	return b
}

// Attempt records one attempt of the webhook's newest delivery.
func (s *HistorySite) Attempt(webhook int64, state string, a models.Attempt, due time.Duration, reason string) models.DeliveryRow {
	s.Helper()
	d := s.NewestDelivery(webhook)
	now, err := s.Store.Now(s.Context())
	s.Must(err)
	a.DeliveryID, a.WebhookID, a.StartedAt, a.Manual, a.Arrived = d.ID, webhook, now, d.Resend, state == models.DeliveryDelivered
	if a.URL == "" {
		a.URL = "https://hooks.example/x"
	}
	for _, recorded := range []*[]byte{&a.RequestHeaders, &a.ResponseHeaders, &a.ResponseBody} {
		if *recorded == nil {
			*recorded = []byte{}
		}
	}
	o := models.Outcome{Attempt: a, State: state, Round: d.Round + 1, Reason: reason}
	if due > 0 {
		at := now.Add(due)
		o.DueAt = &at
	}
	err = s.Store.Lanes.Record(s.Context(), webhook, "", []models.Outcome{o}, models.LaneHealth{})
	s.Must(err)
	return s.NewestDelivery(webhook)
}

// Dispatch makes deliveries of all that is due, as dispatch does in short:
// merge, match, at most per events in one delivery.
func (s *HistorySite) Dispatch(per int) {
	s.Helper()
	result := modelstest.Dispatch(s, s.Store, func(run *models.Dispatch, due []models.Event) models.Decision {
		hooks, _, err := run.Webhooks()
		s.Must(err)
		d := models.Decision{Events: due, MergedInto: map[int64]int64{}}
		newest := map[string]int64{}
		for _, e := range due {
			newest[e.MergeKey] = e.ID
		}
		var posted []models.Event
		for _, e := range due {
			if into := newest[e.MergeKey]; e.MergeKey != "" && into != e.ID {
				d.MergedInto[e.ID] = into
			} else {
				posted = append(posted, e)
			}
		}
		for _, w := range hooks {
			format, _ := wire.Lookup(w.Type)
			var matched []models.Event
			for _, e := range posted {
				if models.Match(w.Filter(format.EventKinds(w.Events)), e.MatchSubject()).OK() {
					matched = append(matched, e)
				}
			}
			for chunk := range slices.Chunk(matched, per) {
				n := newHistoryDelivery(w, format.NewID(), chunk)
				n.Unlogged = !run.Settings.TriggerHistory
				d.Deliveries = append(d.Deliveries, n)
			}
		}
		return d
	})
	if result.Events == 0 {
		s.Fatalf("dispatch took nothing: %+v", result)
	}
}

// Event reports a question's event at main; change adapts it.
func (s *HistorySite) Event(id, title string, change func(*models.NewEvent)) {
	s.Helper()
	s.Events(1, func(int) models.NewEvent {
		e := HistoryEvent(s.T, id, title)
		if change != nil {
			change(&e)
		}
		return e
	})
}

// EventPath is the address of its page.
func (s *HistorySite) EventPath(id string) string {
	s.Helper()
	return web.TriggerPath(s.Number(id))
}

// Events reports n events at once.
func (s *HistorySite) Events(n int, build func(i int) models.NewEvent) {
	s.Helper()
	var list []models.NewEvent
	for i := range n {
		list = append(list, build(i))
	}
	accepted, _, err := s.Store.Events.Record(s.Context(), list)
	s.Must(err)
	if accepted != n {
		s.Fatalf("%d of %d events were new", accepted, n)
	}
}

// Hook makes a webhook that listens to everything of main; change adapts it.
func (s *HistorySite) Hook(name string, change func(*models.WebhookInput)) models.Webhook {
	s.Helper()
	format, ok := wire.Lookup("generic")
	if !ok {
		s.Fatal("there is no generic type")
	}
	in := models.WebhookInput{
		Type: "generic", Name: name, Location: "main", TagMode: models.TagsAll, Tags: []string{},
		URL: "https://hooks.example/x", URLShown: "https://hooks.example/x", Options: map[string]string{},
	}
	for _, o := range format.Options {
		in.Events = append(in.Events, o.Value)
	}
	if change != nil {
		change(&in)
	}
	w, err := s.Store.Webhooks.Create(s.Context(), Boss, in)
	s.Must(err)
	return w
}

// Must ends the test if there is an error.
func (s *HistorySite) Must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// NewestDelivery is the newest delivery of a webhook.
func (s *HistorySite) NewestDelivery(webhook int64) models.DeliveryRow {
	s.Helper()
	rows, _, err := s.Store.Deliveries.List(s.Context(), models.DeliveryQuery{Within: models.AllLocations(), WebhookID: webhook, Limit: 1})
	s.Must(err)
	if len(rows) == 0 {
		s.Fatal("no delivery")
	}
	return rows[0]
}

// Number is our own number of the event with a sender's id.
func (s *HistorySite) Number(id string) int64 {
	s.Helper()
	found, err := s.Store.Events.Named(s.Context(), models.AllLocations(), id, 2)
	s.Must(err)
	if len(found) != 1 {
		s.Fatalf("%d events have the id %s", len(found), id)
	}
	return found[0].ID
}

// Set changes a site setting.
func (s *HistorySite) Set(name, value string) {
	s.Helper()
	s.Must(s.Store.Settings.Change(s.Context(), Boss, name, value, "for the test"))
}

// Nasty is content that must come out as the text it is, everywhere.
const Nasty = `<script>alert("1")</script> 'quoted' שלום <b>&amp;`

func newHistoryDelivery(w models.Webhook, id string, events []models.Event) models.NewDelivery {
	n := models.NewDelivery{Delivery: models.Delivery{
		PublicID: id, WebhookID: w.ID, Location: w.Location, Items: len(events), Body: []byte(`{"questions":[{"title":"one"}]}`),
	}}
	var types []string
	for _, e := range events {
		n.Events, types = append(n.Events, e.ID), append(types, e.Type)
	}
	slices.Sort(types)
	n.EventTypes = "," + strings.Join(slices.Compact(types), ",") + ","
	return n
}

// NewHistorySite is a site over SQLite.
func NewHistorySite(t *testing.T) *HistorySite {
	t.Helper()
	return NewHistorySiteOn(t, "sqlite")
}

// NewHistorySiteOn is a site over a database of either kind. It dispatches on
// arrival and without delay, so that a test decides when.
func NewHistorySiteOn(t *testing.T, kind string) *HistorySite {
	t.Helper()
	s := &HistorySite{T: t, Store: modelstest.Open(t, modelstest.Options(t, kind))}
	s.Set(models.EnableGenericWebhooks, "True")
	s.Set(models.DispatchInterval, "0")
	s.Set(models.DispatchDelay, "0")
	base, err := url.Parse("http://sitehooks.test")
	s.Must(err)
	handler, err := handlers.New(handlers.Deps{
		Store: s.Store, Templates: parsed(), BaseURL: base, CookieKeys: [][]byte{modelstest.Key()},
		Log: slog.New(slog.DiscardHandler), Sender: send.New(send.Config{}), OnChange: func() { s.Woken++ },
	})
	s.Must(err)
	s.Server = httptest.NewServer(handler)
	t.Cleanup(s.Server.Close)
	return s
}

// Says fails unless the text has every part.
func Says(t testing.TB, what, text string, parts ...string) {
	t.Helper()
	for _, piece := range parts {
		if !strings.Contains(text, piece) {
			t.Errorf("%s does not say %q:\n%s", what, piece, text)
		}
	}
}

// Words is a selection's text with one space between its parts.
func Words(s *goquery.Selection) string {
	var b strings.Builder
	for _, n := range s.Nodes {
		for d := range n.Descendants() {
			if d.Type == html.TextNode {
				b.WriteString(d.Data + " ")
			}
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// Lookup is a type of webhook by name; an unknown one ends the test.
func Lookup(t testing.TB, name string) *wire.Format {
	t.Helper()
	f, ok := wire.Lookup(name)
	if !ok {
		t.Fatalf("there is no type %s", name)
	}
	return f
}
