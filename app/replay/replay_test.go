package replay

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/client"
)

// sample has a question with two answers (the second accepted, and
// standing before its question), a question with other tags, rows of other
// kinds, and rows that cannot become events.
const sample = "\xef\xbb\xbf" + `<?xml version="1.0" encoding="utf-8"?>
<posts>
  <row Id="9" PostTypeId="2" ParentId="1" CreationDate="2015-01-27T21:00:00.500" Score="3" Body="&lt;p&gt;Second &amp;amp; best&lt;/p&gt;&#xA;" OwnerDisplayName="ann" LastEditDate="2015-03-01T00:00:00" LastEditorUserId="4" />
  <row Id="1" PostTypeId="1" AcceptedAnswerId="9" CreationDate="2015-01-27T20:09:32.720" Score="-2" Body="&lt;p&gt;Grüße&lt;/p&gt;" OwnerUserId="4" Title="What's brewing — &quot;drip&quot;?" Tags="&lt;Drip&gt;&lt;pour-over&gt;" LastEditDate="2015-02-01T00:00:00.000" />
  <row Id="2" PostTypeId="2" ParentId="1" CreationDate="2015-01-27T20:30:00.000" Score="1" Body="first" OwnerUserId="8" />
  <row Id="3" PostTypeId="1" CreationDate="2015-01-27T20:09:32.720" Score="0" Body="" Title="Beans" Tags="|beans|" OwnerUserId="5" AcceptedAnswerId="777" />
  <row Id="4" PostTypeId="2" ParentId="3" CreationDate="2015-01-28T00:00:00" Body="roast" OwnerUserId="8"></row>
  <row Id="5" PostTypeId="4" CreationDate="2015-01-27T20:09:32.720" Body="a tag's wiki" />
  <row Id="6" PostTypeId="2" ParentId="99" CreationDate="2015-01-28T00:00:00" Body="to nothing" />
  <row Id="7" PostTypeId="1" CreationDate="yesterday" Title="No date" />
  <row Id="8" PostTypeId="1" CreationDate="2015-01-28T00:00:00" />
</posts>
`

// fakeSite stands in for an instance: it keeps the events that it gets, by id.
type fakeSite struct {
	mu       sync.Mutex
	refuse   []func(w http.ResponseWriter) // of the next requests, one each
	requests []int                         // events in each
	bytes    int                           // of the largest request
	token    string
	ids      []string
	events   map[string]client.Event
	raw      map[string]string
}

func (s *fakeSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = r.Header.Get("Authorization")
	if r.Method != http.MethodPost || r.URL.Path != "/api/v1/events" || r.Header.Get("Content-Type") != "application/x-ndjson" {
		http.NotFound(w, r)
		return
	}
	if len(s.refuse) > 0 {
		no := s.refuse[0]
		s.refuse = s.refuse[1:]
		no(w)
		return
	}
	if s.events == nil {
		s.events, s.raw = map[string]client.Event{}, map[string]string{}
	}
	body, _ := io.ReadAll(r.Body)
	s.bytes = max(s.bytes, len(body))
	n, known := 0, 0
	for lines := bufio.NewReader(bytes.NewReader(body)); ; n++ {
		line, err := lines.ReadString('\n')
		if err != nil {
			break
		}
		var e client.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if _, ok := s.events[e.ID]; ok {
			known++
			continue
		}
		s.ids = append(s.ids, e.ID)
		s.events[e.ID], s.raw[e.ID] = e, line
	}
	s.requests = append(s.requests, n)
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(map[string]int{"accepted": n - known, "duplicates": known})
}

// dumpFile writes a dump.
func dumpFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "Posts.xml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// runTo posts a file to a site. Missing options have the defaults of the
// command.
func runTo(t *testing.T, site http.Handler, o Options) (out string, err error) {
	t.Helper()
	server := httptest.NewServer(site)
	defer server.Close()
	o.URL = server.URL
	o.Token = cmp.Or(o.Token, "t0ken")
	o.Location = cmp.Or(o.Location, "main")
	o.Site = cmp.Or(o.Site, "https://stackexchange.example")
	var stdout, stderr strings.Builder
	err = Run(t.Context(), o, &stdout, &stderr)
	if strings.Contains(stdout.String()+stderr.String(), o.Token) {
		t.Errorf("tells the token: %s%s", &stdout, &stderr)
	}
	return stdout.String() + stderr.String(), err
}

func TestRun(t *testing.T) {
	var site fakeSite
	file := dumpFile(t, sample)
	out, err := runTo(t, &site, Options{File: file, Location: "coffee"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"replay-coffee-q1-created", "replay-coffee-q3-created", "replay-coffee-a2-created",
		"replay-coffee-a9-created", "replay-coffee-a9-accepted", "replay-coffee-a4-created",
		"replay-coffee-q1-edited", "replay-coffee-a9-edited",
	}
	if !slices.Equal(site.ids, want) {
		t.Errorf("posted in this order: %q", site.ids)
	}
	if !strings.Contains(out, "accepted 8, duplicates 0, ") || !strings.Contains(out, "skipped 3 posts") || strings.Contains(out, "\r") {
		t.Errorf("said %q", out)
	}
	output := regexp.MustCompile(`posted to the location coffee:
  1 answer\.accepted
  3 answer\.created
  1 answer\.edited
  2 question\.created
  1 question\.edited
see which webhooks they triggered: http://127\.0\.0\.1:\d+/admin/trigger-history\?location=coffee
$`)
	if !output.MatchString(out) {
		t.Errorf("said %q", out)
	}
	if site.token != "Bearer t0ken" {
		t.Errorf("token %q", site.token)
	}
	golden := map[string]string{
		"replay-coffee-q1-created": `{"id":"replay-coffee-q1-created","type":"question.created","occurred_at":"2015-01-27T20:09:32.720Z","location":"coffee","actor":{"user_id":4,"display_name":"user4"},` +
			`"question":{"question_id":1,"title":"What's brewing — \"drip\"?","body":"<p>Grüße</p>","link":"https://stackexchange.example/questions/1/whats-brewing-drip","tags":["drip","pour-over"],"score":-2,"creation_date":1422389372720,"last_edit_date":null,"owner":{"user_id":4,"display_name":"user4"}}}`,
		"replay-coffee-q1-edited": `{"id":"replay-coffee-q1-edited","type":"question.edited","occurred_at":"2015-02-01T00:00:00.000Z","location":"coffee","actor":{"user_id":-1,"display_name":"Community"},` +
			`"question":{"question_id":1,"title":"What's brewing — \"drip\"?","body":"<p>Grüße</p>","link":"https://stackexchange.example/questions/1/whats-brewing-drip","tags":["drip","pour-over"],"score":-2,"creation_date":1422389372720,"last_edit_date":1422748800000,"owner":{"user_id":4,"display_name":"user4"}}}`,
		"replay-coffee-a9-accepted": `{"id":"replay-coffee-a9-accepted","type":"answer.accepted","occurred_at":"2015-01-27T21:00:00.501Z","location":"coffee","actor":{"user_id":4,"display_name":"user4"},` +
			`"question":{"question_id":1,"title":"What's brewing — \"drip\"?","link":"https://stackexchange.example/questions/1/whats-brewing-drip","tags":["drip","pour-over"],"score":-2,"creation_date":1422389372720,"last_edit_date":null,"owner":{"user_id":4,"display_name":"user4"}},` +
			`"answer":{"answer_id":9,"body":"<p>Second &amp; best</p>\n","link":"https://stackexchange.example/questions/1/whats-brewing-drip/9#9","score":3,"is_accepted":true,"creation_date":1422392400500,"last_edit_date":null,"owner":{"user_id":-1,"display_name":"ann"}}}`,
	}
	for id, line := range golden {
		if got := strings.TrimSpace(site.raw[id]); got != line {
			t.Errorf("%s:\n got %s\nwant %s", id, got, line)
		}
	}
	if e := site.events["replay-coffee-a9-created"]; e.Answer.IsAccepted || e.Actor.DisplayName != "ann" {
		t.Errorf("created as %+v", e.Answer)
	}
	if e := site.events["replay-coffee-a9-edited"]; !e.Answer.IsAccepted || e.Actor.UserID != 4 || *e.Answer.LastEditDate != 1425168000000 || *e.Question.LastEditDate != 1422748800000 {
		t.Errorf("edited as %+v", e.Answer)
	}
	if out, err = runTo(t, &site, Options{File: file, Location: "coffee", Token: "another token"}); err != nil || !strings.Contains(out, "accepted 0, duplicates 8, ") {
		t.Errorf("the second time: %v, %q", err, out)
	}
	if site.token != "Bearer another token" {
		t.Errorf("token %q", site.token)
	}
}

// TestComments: they stand in a file beside the posts.
func TestComments(t *testing.T) {
	file := filepath.Join(t.TempDir(), "Posts.xml")
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(file, sample)
	comments := filepath.Join(filepath.Dir(file), "Comments.xml")
	write(comments, `<comments>
  <row Id="50" PostId="1" Score="2" Text="Drip &lt;i&gt; or pour?" CreationDate="2015-01-27T20:10:00.000" UserId="8" />
  <row Id="51" PostId="9" Score="0" Text="Thanks" CreationDate="2015-01-27T22:00:00.000" UserDisplayName="ann" />
  <row Id="52" PostId="3" Score="0" Text="Which beans?" CreationDate="2015-01-27T22:00:00.000" UserId="8" />
  <row Id="53" PostId="777" Text="on nothing" CreationDate="2015-01-27T22:00:00.000" />
  <row Id="54" PostId="1" Text=" " CreationDate="2015-01-27T22:00:00.000" />
  <row Id="50" PostId="1" Text="twice" CreationDate="2015-01-27T22:00:00.000" />
</comments>`)
	var site fakeSite
	out, err := runTo(t, &site, Options{File: file, Location: "coffee", Site: "https://q.example"})
	if err != nil || !strings.Contains(out, "3 comment.created") || !strings.Contains(out, "skipped 3 comments: ") {
		t.Errorf("%v, said %q", err, out)
	}
	e := site.events["replay-coffee-c51-created"]
	if e.Type != "comment.created" || e.Actor.DisplayName != "ann" || e.Question.QuestionID != 1 || e.Answer.AnswerID != 9 || e.Answer.Body+e.Question.Body != "" ||
		e.Comment.CommentID != 51 || e.Comment.Body != "Thanks" || e.Comment.Link != "https://q.example/questions/1/whats-brewing-drip/9#comment51_9" {
		t.Errorf("on an answer: %+v, %+v, %+v", e, e.Answer, e.Comment)
	}
	e = site.events["replay-coffee-c50-created"]
	if e.Answer != nil || e.Comment.Body != "Drip <i> or pour?" || e.Comment.Score != 2 || e.Comment.Link != "https://q.example/questions/1/whats-brewing-drip#comment50_1" ||
		e.OccurredAt != "2015-01-27T20:10:00.000Z" || e.Comment.CreationDate != 1422389400000 || e.Actor.UserID != 8 {
		t.Errorf("on a question: %+v, %+v", e, e.Comment)
	}
	at := slices.Index(site.ids, "replay-coffee-c50-created")
	if at != slices.Index(site.ids, "replay-coffee-q1-created")+2 { // question 3 was asked at the same moment
		t.Errorf("in the order %q", site.ids)
	}
	site = fakeSite{}
	out, err = runTo(t, &site, Options{File: file, Location: "coffee", Tags: []string{"beans"}})
	if err != nil || !strings.Contains(out, "1 comment.created") || strings.Contains(out, "comments: ") {
		t.Errorf("with tags: %v, said %q", err, out)
	}
	write(comments, sample)
	if _, err := runTo(t, &site, Options{File: file}); err == nil || !strings.Contains(err.Error(), comments+": is not the Comments.xml of a data dump: it starts with <posts>") {
		t.Errorf("%v", err)
	}
}

func TestTags(t *testing.T) {
	var site fakeSite
	out, err := runTo(t, &site, Options{File: dumpFile(t, sample), Tags: []string{"beans", "tea"}, Site: "https://q.example/sub"})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"replay-main-q3-created", "replay-main-a4-created"}; !slices.Equal(site.ids, want) {
		t.Errorf("posted %q", site.ids)
	}
	if got := site.events["replay-main-a4-created"].Answer.Link; got != "https://q.example/sub/questions/3/beans/4#4" {
		t.Errorf("link %s", got)
	}
	if !strings.Contains(out, "skipped 1 post: ") { // the answer to nothing; nobody asked for the others
		t.Errorf("said %q", out)
	}
}

// manyPosts writes a dump of n questions with bodies of a size.
func manyPosts(n, size int) string {
	var b strings.Builder
	b.WriteString("<posts>\n")
	for i := range n {
		at := time.UnixMilli(1422389372720 + int64(i)).UTC().Format("2006-01-02T15:04:05.000")
		b.WriteString(`<row Id="` + number(i+1) + `" PostTypeId="1" Title="T" CreationDate="` + at + `" Body="` + strings.Repeat("é", size/2) + "\" />\n")
	}
	return b.String() + "</posts>"
}

func number(n int) string {
	text, _ := json.Marshal(n) //nolint:errchkjson // a number
	return string(text)
}

func TestCutsRequests(t *testing.T) {
	for _, tc := range []struct {
		n, size  int
		requests []int
		says     string
	}{
		{2001, 10, []int{1000, 1000, 1}, "accepted 2001,"},
		{50, 200_000, []int{20, 20, 10}, "accepted 50,"},
		{2, maxEvent, nil, "skipped 2 events larger"},
	} {
		var site fakeSite
		out, err := runTo(t, &site, Options{File: dumpFile(t, manyPosts(tc.n, tc.size))})
		if err != nil || !slices.Equal(site.requests, tc.requests) || site.bytes > maxBody || !strings.Contains(out, tc.says) {
			t.Errorf("%d of %d bytes: requests %v, largest %d, said %q: %v", tc.n, tc.size, site.requests, site.bytes, out, err)
		}
	}
}

func refusal(status int, retryAfter, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Retry-After", retryAfter)
		w.Header().Set("Location", "https://elsewhere.example/api/v1/events")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// runWith runs a dump with waiting that only notes how long it would be.
func runWith(t *testing.T, site http.Handler, o Options, text string) (delays []time.Duration, err error) {
	t.Helper()
	server := httptest.NewServer(site)
	defer server.Close()
	o.URL, o.Location, o.Site = server.URL, "main", "https://s.example"
	dump, err := readDump(t.Context(), strings.NewReader(text), o.Tags)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	wait := func(_ context.Context, d time.Duration) error {
		delays = append(delays, d)
		now = now.Add(d)
		return nil
	}
	run := poster{
		dump: dump, options: o, progress: newProgress(io.Discard, 0),
		sender: newSender(o, func(string) {}), now: func() time.Time { return now }, wait: wait,
	}
	run.sender.wait = wait
	err = run.post(t.Context())
	return delays, err
}

func TestComesBack(t *testing.T) {
	site := &fakeSite{refuse: []func(http.ResponseWriter){
		refusal(429, "7", ""), refusal(503, "", ""), refusal(503, "99999999", ""), refusal(502, "soon", ""),
	}}
	delays, err := runWith(t, site, Options{}, manyPosts(1, 0))
	if want := []time.Duration{7 * time.Second, 2 * time.Second, time.Minute, 8 * time.Second}; err != nil || !slices.Equal(delays, want) || len(site.ids) != 1 {
		t.Errorf("waited %v, posted %q: %v", delays, site.ids, err)
	}
	site = &fakeSite{}
	for range maxTries {
		site.refuse = append(site.refuse, refusal(503, "1", `{"detail":"The database cannot be reached."}`))
	}
	if _, err = runWith(t, site, Options{}, manyPosts(1, 0)); err == nil || !strings.Contains(err.Error(), "gave up after 10 attempts") || !strings.Contains(err.Error(), "The database") {
		t.Errorf("endless refusal: %v", err)
	}
}

// TestOutlivesRestart: once something answered, a connection that fails
// is tried again.
func TestOutlivesRestart(t *testing.T) {
	broken := func(w http.ResponseWriter) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			err = conn.Close()
		}
		if err != nil {
			t.Error(err)
		}
	}
	site := &fakeSite{refuse: []func(http.ResponseWriter){refusal(503, "1", ""), broken, broken}}
	delays, err := runWith(t, site, Options{}, manyPosts(1, 0))
	if err != nil || len(delays) < 2 || len(site.ids) != 1 {
		t.Errorf("waited %v, posted %q: %v", delays, site.ids, err)
	}
	site = &fakeSite{refuse: []func(http.ResponseWriter){broken, broken}}
	if _, err = runWith(t, site, Options{}, manyPosts(1, 0)); err == nil || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("never reached: %v", err)
	}
}

func TestSpeed(t *testing.T) {
	var site fakeSite
	delays, err := runWith(t, &site, Options{Speed: 2}, sample)
	if err != nil {
		t.Fatal(err)
	}
	var total time.Duration
	for _, w := range delays {
		total += w
	}
	// From the first creation to the last edit, at double speed.
	want := time.Date(2015, 3, 1, 0, 0, 0, 0, time.UTC).Sub(time.Date(2015, 1, 27, 20, 9, 32, 720e6, time.UTC)) / 2
	if total < want || total > want+time.Second || len(site.ids) != 8 || site.requests[0] != 2 {
		t.Errorf("waited %v, want %v; requests %v", total, want, site.requests)
	}
}

func TestStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out strings.Builder
	err := Run(ctx, Options{File: dumpFile(t, sample)}, &out, &out)
	if err == nil || !strings.Contains(err.Error(), "stopped") || strings.Contains(err.Error(), "canceled") {
		t.Errorf("%v", err)
	}
}
