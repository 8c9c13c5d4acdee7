package handlers

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
	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
	"golang.org/x/net/html"
)

// download is a file with the headers that it came with.
func (b *historyBrowser) download(path string) (string, http.Header) {
	b.site.Helper()
	q, err := http.NewRequestWithContext(b.site.Context(), http.MethodGet, b.site.server.URL+path, nil)
	b.site.must(err)
	p, err := b.client.Do(q)
	b.site.must(err)
	defer p.Body.Close()
	text, err := io.ReadAll(p.Body)
	if err != nil || p.StatusCode != http.StatusOK {
		b.site.Fatalf("%s: %d, %v", path, p.StatusCode, err)
	}
	return string(text), p.Header
}

var boss = models.Actor{UserID: 1, Name: "Mary Wilkins"}

type historyBrowser struct {
	site   *historySite
	client *http.Client
	to     string // where the last answer led
}

func (b *historyBrowser) do(q *http.Request, err error) (int, *goquery.Document) {
	b.site.Helper()
	b.site.must(err)
	p, err := b.client.Do(q)
	b.site.must(err)
	defer p.Body.Close()
	body, err := io.ReadAll(p.Body)
	b.site.must(err)
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(string(body)))
	b.site.must(err)
	// Scripts of ours come from files; anything else was content.
	doc.Find("script").Each(func(_ int, script *goquery.Selection) {
		if src, ok := script.Attr("src"); !ok || !strings.HasPrefix(src, "/static/") {
			b.site.Errorf("%s: a script came with the content: %q", q.URL, script.Text())
		}
	})
	b.to = p.Header.Get("Location")
	return p.StatusCode, doc
}

func (b *historyBrowser) get(path string) *goquery.Document {
	b.site.Helper()
	status, doc := b.do(http.NewRequestWithContext(b.site.Context(), http.MethodGet, b.site.server.URL+path, nil))
	if status != http.StatusOK {
		b.site.Fatalf("GET %s: %d: %s", path, status, doc.Find("main").Text())
	}
	return doc
}

func (b *historyBrowser) post(path string, form url.Values) (int, *goquery.Document) {
	b.site.Helper()
	q, err := http.NewRequestWithContext(b.site.Context(), http.MethodPost, b.site.server.URL+path, strings.NewReader(form.Encode()))
	b.site.must(err)
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(q, nil)
}

func (b *historyBrowser) status(path string) int {
	b.site.Helper()
	status, _ := b.do(http.NewRequestWithContext(b.site.Context(), http.MethodGet, b.site.server.URL+path, nil))
	return status
}

func historyEvent(t testing.TB, id, title string) models.NewEvent {
	t.Helper()
	payload, err := json.Marshal(map[string]any{
		"id": id, "type": "question.created", "actor": map[string]any{"user_id": 7, "display_name": "Åsa " + nasty},
		"question": map[string]any{"question_id": 1, "title": title, "link": "https://site.example/questions/1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return models.NewEvent{
		EventID: id, Type: "question.created", Location: "main", Subject: "1", Title: title, Payload: payload,
	}
}

// historySite is the whole console over a store of its own, with two members.
type historySite struct {
	*testing.T
	store  *models.Store
	server *httptest.Server
	woken  int // how often the jobs were told of a change
}

// as is a browser in which a member of that role is logged in.
func (s *historySite) as(role string) *historyBrowser {
	s.Helper()
	email := role + "@example.com"
	_, err := s.store.Users.Create(s.Context(), models.User{Email: email, Name: role, PasswordHash: adminHash(), Role: role})
	s.must(err)
	jar, err := cookiejar.New(nil)
	s.must(err)
	b := &historyBrowser{site: s, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}}
	if status, _ := b.post("/login", url.Values{"email": {email}, "password": {adminPassword}}); status != http.StatusSeeOther {
		s.Fatalf("log in as %s: %d", role, status)
	}
	return b
}

// attempt records one attempt of the webhook's newest delivery.
func (s *historySite) attempt(webhook int64, state string, a models.Attempt, due time.Duration, reason string) models.DeliveryRow {
	s.Helper()
	d := s.newestDelivery(webhook)
	now, err := s.store.Now(s.Context())
	s.must(err)
	a.DeliveryID, a.WebhookID, a.Number, a.StartedAt = d.ID, webhook, d.Tries+1, now
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
	err = s.store.Lanes.Record(s.Context(), webhook, []models.Outcome{o}, models.LaneHealth{})
	s.must(err)
	return s.newestDelivery(webhook)
}

// dispatch makes deliveries of all that is due, as dispatch does in short:
// merge, match, at most per events in one delivery.
func (s *historySite) dispatch(per int) {
	s.Helper()
	result, err := s.store.Events.Take(s.Context(), 1000, func(t models.Take) (models.Decision, error) {
		hooks, version, err := t.Webhooks()
		d := models.Decision{MergedInto: map[int64]int64{}, Version: version}
		newest := map[string]int64{}
		for _, e := range t.Events {
			d.Events = append(d.Events, e.ID)
			newest[e.MergeKey] = e.ID
		}
		var sent []models.Event
		for _, e := range t.Events {
			if into := newest[e.MergeKey]; e.MergeKey != "" && into != e.ID {
				d.MergedInto[e.ID] = into
			} else {
				sent = append(sent, e)
			}
		}
		for _, w := range hooks {
			format, _ := wire.Lookup(w.Type)
			var matched []models.Event
			for _, e := range sent {
				if models.Match(w.Filter(format.EventKinds(w.Events)), e.MatchSubject()).OK() {
					matched = append(matched, e)
				}
			}
			for chunk := range slices.Chunk(matched, per) {
				d.Deliveries = append(d.Deliveries, newHistoryDelivery(w, format.NewID(), chunk))
			}
		}
		return d, err
	})
	s.must(err)
	if !result.Ran || result.Events == 0 {
		s.Fatalf("dispatch took nothing: %+v", result)
	}
}

// event reports a question's event at main; change adapts it.
func (s *historySite) event(id, title string, change func(*models.NewEvent)) {
	s.Helper()
	s.events(1, func(int) models.NewEvent {
		e := historyEvent(s.T, id, title)
		if change != nil {
			change(&e)
		}
		return e
	})
}

// eventPath is the address of its page.
func (s *historySite) eventPath(id string) string {
	s.Helper()
	return triggerPath(s.number(id))
}

// events reports n events at once.
func (s *historySite) events(n int, build func(i int) models.NewEvent) {
	s.Helper()
	var list []models.NewEvent
	for i := range n {
		list = append(list, build(i))
	}
	accepted, _, err := s.store.Events.Record(s.Context(), list)
	s.must(err)
	if accepted != n {
		s.Fatalf("%d of %d events were new", accepted, n)
	}
}

// hook makes a webhook that listens to everything of main; change adapts it.
func (s *historySite) hook(name string, change func(*models.WebhookInput)) models.Webhook {
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
	w, err := s.store.Webhooks.Create(s.Context(), boss, in)
	s.must(err)
	return w
}

func (s *historySite) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// newestDelivery is the newest delivery of a webhook.
func (s *historySite) newestDelivery(webhook int64) models.DeliveryRow {
	s.Helper()
	rows, _, err := s.store.Deliveries.List(s.Context(), models.DeliveryQuery{WebhookID: webhook, Limit: 1})
	s.must(err)
	if len(rows) == 0 {
		s.Fatal("no delivery")
	}
	return rows[0]
}

// number is our own number of the event with a sender's id.
func (s *historySite) number(id string) int64 {
	s.Helper()
	found, err := s.store.Events.Named(s.Context(), id, 2)
	s.must(err)
	if len(found) != 1 {
		s.Fatalf("%d events have the id %s", len(found), id)
	}
	return found[0].ID
}

func (s *historySite) set(name, value string) {
	s.Helper()
	s.must(s.store.Settings.Change(s.Context(), boss, name, value, "for the test"))
}

// nasty is content that must come out as the text it is, everywhere.
const nasty = `<script>alert("1")</script> 'quoted' שלום <b>&amp;`

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

// newHistorySite dispatches on arrival and without delay, so that a test
// decides when.
func newHistorySite(t *testing.T) *historySite {
	t.Helper()
	s := &historySite{T: t, store: modelstest.Open(t, modelstest.Options(t, "sqlite"))}
	s.set(models.EnableGenericWebhooks, "True")
	s.set(models.DispatchInterval, "0")
	s.set(models.DispatchDelay, "0")
	base, err := url.Parse("http://sitehooks.test")
	s.must(err)
	handler, err := New(Deps{
		Store: s.store, Templates: parsed(), BaseURL: base, CookieKeys: [][]byte{modelstest.Key()},
		Log: slog.New(slog.DiscardHandler), Sender: send.New(send.Config{}), OnChange: func() { s.woken++ },
	})
	s.must(err)
	s.server = httptest.NewServer(handler)
	t.Cleanup(s.server.Close)
	return s
}

// says fails unless the text has every part.
func says(t testing.TB, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s does not say %q:\n%s", what, part, text)
		}
	}
}

// words is a selection's text with one space between its parts.
func words(s *goquery.Selection) string {
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

func lookup(t testing.TB, name string) *wire.Format {
	t.Helper()
	f, ok := wire.Lookup(name)
	if !ok {
		t.Fatalf("there is no type %s", name)
	}
	return f
}
