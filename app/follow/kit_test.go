package follow

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/client"
	"github.com/sitehooks/sitehooks/app/follow/answertest"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// instance answers as Sitehooks does, as far as a follower knows it.
type instance struct {
	*httptest.Server
	mu      sync.Mutex
	order   []string // ids of the events in the order of their first arrival
	events  map[string]client.Event
	lines   map[string]string
	again   int // events that came again
	source  string
	cursor  map[string]any
	holder  string
	puts    int
	refuse  func(e client.Event) string // why an event is refused; empty: it is not
	whole   func(body string) bool      // a request that is refused without an event's name; nil: none
	answers []int                       // statuses to answer with first, to any request
}

func newInstance(t *testing.T) *instance {
	t.Helper()
	in := &instance{events: map[string]client.Event{}, lines: map[string]string{}, refuse: func(client.Event) string { return "" }}
	in.Server = httptest.NewServer(in)
	t.Cleanup(in.Close)
	return in
}

func (in *instance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in.mu.Lock()
	defer in.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	if len(in.answers) > 0 {
		status := in.answers[0]
		in.answers = in.answers[1:]
		problem(w, status, `"detail":"Not now."`)
		return
	}
	if r.Header.Get("Authorization") != "Bearer right" {
		problem(w, http.StatusUnauthorized, `"detail":"The token is unknown or was revoked."`)
		return
	}
	switch r.Method + " " + r.URL.Path {
	case "POST /api/v1/events":
		in.post(w, r, body)
	case "PUT /api/v1/sources/community/cursor":
		in.put(w, body)
	default:
		problem(w, http.StatusNotFound, `"detail":"There is nothing here."`)
	}
}

func problem(w http.ResponseWriter, status int, members string) {
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "{"+members+"}")
}

func (in *instance) post(w http.ResponseWriter, r *http.Request, body []byte) {
	in.source = r.Header.Get("Sitehooks-Source")
	if in.whole != nil && in.whole(string(body)) {
		problem(w, http.StatusRequestEntityTooLarge, `"detail":"The request is too large."`)
		return
	}
	var faults []string
	var events []client.Event
	lines := bytes.Split(bytes.TrimSpace(body), []byte("\n"))
	for i, line := range lines {
		var e client.Event
		why := ""
		if err := json.Unmarshal(line, &e); err != nil {
			why = "is not JSON"
		} else {
			why = in.refuse(e)
		}
		if why != "" {
			text, _ := json.Marshal(map[string]any{"index": i, "field": "question.title", "message": why}) //nolint:errchkjson // strings
			faults = append(faults, string(text))
		}
		events = append(events, e)
	}
	if len(faults) > 0 {
		problem(w, http.StatusBadRequest, `"detail":"The request is invalid.","errors":[`+strings.Join(faults, ",")+`]`)
		return
	}
	for i, e := range events {
		if _, again := in.events[e.ID]; again {
			in.again++
			continue
		}
		in.events[e.ID], in.lines[e.ID] = e, string(lines[i])
		in.order = append(in.order, e.ID)
	}
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"accepted":1,"duplicates":0}`)
}

func (in *instance) put(w http.ResponseWriter, body []byte) {
	in.puts++
	var put map[string]any
	_ = json.Unmarshal(body, &put)
	holder, _ := put["holder"].(string)
	_, moves := put["place"]
	if in.holder != "" && in.holder != holder {
		problem(w, http.StatusConflict, `"detail":"Another follower works.","errors":[{"index":null,"field":"holder","message":"somebody"}]`)
		return
	}
	in.holder = holder
	if seconds, _ := put["lease_seconds"].(float64); seconds == 0 {
		in.holder = ""
	}
	if moves {
		skipped, _ := in.cursor["skipped"].(float64)
		more, _ := put["skipped"].(float64)
		put["skipped"] = skipped + more
		in.cursor = put
	}
	answer, _ := json.Marshal(map[string]any{"place": in.cursor["place"]}) //nolint:errchkjson // was JSON
	_, _ = w.Write(answer)
}

// ids are those of all events so far, in their order.
func (in *instance) ids() []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.order)
}

// field is a member of the stored cursor.
func (in *instance) field(name string) any {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.cursor[name]
}

// followed is an Answer's database with a follower of it.
type followed struct {
	*answertest.Site
	t   *testing.T
	in  *instance
	now time.Time
	log bytes.Buffer
	o   AnswerOptions
	f   *follower
}

// start is when the tests' site begins.
var start = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// Numbers of activities, other than those of a real site.
var activityNumbers = map[string]int{
	"question.asked": 1087, "question.edited": 1093, "answer.answered": 1097, "answer.edited": 1099, "answer.accept": 1005,
	"question.commented": 1091, "answer.commented": 1098, "question.answered": 1090, "answer.accepted": 1001,
}

// onBoth runs a test on each kind of database.
func onBoth(t *testing.T, test func(t *testing.T, s *followed)) {
	t.Helper()
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) { test(t, newFollowed(t, kind)) })
	}
}

func newFollowed(t *testing.T, kind string) *followed {
	t.Helper()
	s := &followed{Site: answertest.New(t, kind), t: t, in: newInstance(t), now: start}
	for i, key := range slices.Sorted(maps.Keys(activityNumbers)) {
		_ = i
		s.Put("config", answertest.Row{"id": activityNumbers[key], "key": key})
	}
	s.Put("site_info", answertest.Row{"id": 1, "type": "general", "content": `{"site_url":"https://q.example/"}`})
	s.Put("version", answertest.Row{"id": 1, "version_number": 35})
	for id, name := range map[int]string{1: "Ann", 2: "Bob"} {
		s.Put("user", answertest.Row{"id": id, "username": strings.ToLower(name), "display_name": name})
	}
	s.o = AnswerOptions{
		Options: Options{
			Name: "community", URL: s.in.URL, Token: "right", Every: 5 * time.Second, Log: slog.New(slog.NewTextHandler(&s.log, nil)),
		},
		Database: s.DSN, Timezone: time.UTC, Compare: 10 * time.Minute,
	}
	return s
}

// follow starts a new follower, which begins or continues in its first round.
func (s *followed) follow() {
	s.t.Helper()
	a, err := newAnswer(s.o)
	ok(s.t, err)
	s.t.Cleanup(func() { _ = a.db.Close() })
	a.now = func() time.Time { return s.now }
	ok(s.t, a.start(s.t.Context()))
	if s.f != nil {
		s.in.holder = "" // its lease ended
	}
	s.f = newFollower(a.Options, a)
	s.f.now = a.now
	s.round()
}

// round lets time pass, and the follower look until there is no more.
func (s *followed) round() {
	s.t.Helper()
	s.now = s.now.Add(5 * time.Second)
	for more := true; more; {
		var err error
		more, err = s.f.round(s.t.Context())
		ok(s.t, err)
	}
}

// later is a round after a time.
func (s *followed) later(d time.Duration) {
	s.t.Helper()
	s.now = s.now.Add(d)
	s.round()
}

// arrived checks which events arrived since the last call.
func (s *followed) arrived(want ...string) {
	s.t.Helper()
	for i := range want {
		want[i] = "answer:community:" + want[i]
	}
	got := s.in.ids()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.t.Errorf("arrived\n %s, want\n %s", strings.Join(got, "\n "), strings.Join(want, "\n "))
	}
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	s.in.order = nil
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Ids as a site makes them: the kind of post, then a number of one counter.
func qid(n int64) int64 { return 10010000000000000 + n }
func aid(n int64) int64 { return 10020000000000000 + n }
func cid(n int64) int64 { return 10070000000000000 + n }

// wall is the site's time now.
func (s *followed) wall() string { return answertest.Wall(s.now) }

// log writes a row of the log, now.
func (s *followed) logs(row int64, key string, object int64, more answertest.Row) {
	s.t.Helper()
	r := answertest.Row{
		"id": row, "created_at": s.wall(), "updated_at": s.wall(), "user_id": 1, "object_id": object, "activity_type": activityNumbers[key],
	}
	maps.Copy(r, more)
	s.Put("activity", r)
}

func (s *followed) question(n int64, more answertest.Row) {
	s.t.Helper()
	r := answertest.Row{
		"id": qid(n), "created_at": s.wall(), "user_id": 1, "title": "How do I test webhooks?", "parsed_text": "<p>Really & <b>truly</b></p>", "revision_id": 1,
	}
	maps.Copy(r, more)
	s.Put("question", r)
}

func (s *followed) answer(n, question int64, more answertest.Row) {
	s.t.Helper()
	r := answertest.Row{"id": aid(n), "created_at": s.wall(), "question_id": qid(question), "user_id": 2, "parsed_text": "<p>So</p>", "revision_id": 2}
	maps.Copy(r, more)
	s.Put("answer", r)
}

func (s *followed) comment(n, question, on int64, more answertest.Row) {
	s.t.Helper()
	r := answertest.Row{"id": cid(n), "created_at": s.wall(), "question_id": qid(question), "object_id": on, "user_id": 2, "parsed_text": "<p>Why?</p>", "status": 1}
	maps.Copy(r, more)
	s.Put("comment", r)
}
