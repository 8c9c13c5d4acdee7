package torture

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// The places and marks of the site.
var (
	torturePlaces      = []string{"main", "team-a", "team-b"}
	tortureTags        = []string{"go", "sql", "css", "html", "http", "tls"}
	tortureCommunities = []string{"", "", "data", "web"}
)

// crowdPlace is the location of the webhooks of the crowd.
const crowdPlace = "crowd"

// tortureEvent is one event as the site remembers it.
type tortureEvent struct {
	number                    int
	kind, location, community string
	tags                      []string
	key                       string // merge key; empty: never merges
	occurred                  time.Time
	text                      string        // its own, by which it is known again
	posted                    time.Duration // the first time; 0: not yet
	accepted                  time.Duration // 0: not yet
}

// tortureSite reports events through the ingest API, until each is accepted.
type tortureSite struct {
	run    *tortureRun
	client *http.Client
	begun  atomic.Int64 // events made by the actors

	mu     sync.Mutex
	events []*tortureEvent // by number
	bodies [][]byte        // some that were accepted, to be sent again
}

func newTortureSite(r *tortureRun) *tortureSite {
	return &tortureSite{run: r, client: &http.Client{Timeout: 40 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
}

// introduce reports one event from each place with all communities, so that
// webhooks can choose them.
func (s *tortureSite) introduce() {
	random := s.run.random(randomSite)
	var events []*tortureEvent
	for _, location := range torturePlaces {
		for _, community := range tortureCommunities[1:] {
			e := s.newEvent(random)
			e.location, e.community, e.key = location, community, ""
			e.kind = "question.created"
			events = append(events, e)
		}
	}
	s.report(random, append(events, s.crowdEvent(random)))
}

// crowdEvent is one that each webhook of the crowd gets.
func (s *tortureSite) crowdEvent(random *rand.Rand) *tortureEvent {
	e := s.newEvent(random)
	e.location, e.community, e.key, e.kind = crowdPlace, "", "", "question.created"
	return e
}

// burst reports a few events for the whole crowd at once, one of them large,
// while its receiver is well, silent or slow.
func (s *tortureSite) burst(random *rand.Rand) func(stop <-chan struct{}) {
	round, moods := 0, []string{"hangs", "", "drips"}
	return func(stop <-chan struct{}) {
		crowded := s.run.targets.crowded()
		crowded.become(moods[round%len(moods)])
		round++
		events := make([]*tortureEvent, 5)
		for i := range events {
			events[i] = s.crowdEvent(random)
		}
		events[0].text += strings.Repeat(" and more", 20_000)
		s.report(random, events)
		s.run.count("bursts for many webhooks", 1)
		apptest.Pause(stop, about(random, s.run.uptime))
		crowded.heal()
	}
}

func (s *tortureSite) actors() []func(stop <-chan struct{}) {
	acts := []func(stop <-chan struct{}){s.run.fleet.often(9, s.run.bursts, s.burst)}
	for i := range s.run.clients {
		random := s.run.random(randomSite + 1 + uint64(i))
		acts = append(acts, func(stop <-chan struct{}) { s.busy(stop, random) })
	}
	return acts
}

// busy reports events at its share of the rate, and catches up after an
// outage, so that there are as many in the end.
func (s *tortureSite) busy(stop <-chan struct{}, random *rand.Rand) {
	for apptest.Pause(stop, time.Millisecond) {
		if due := int64(s.run.now().Seconds() * s.run.rate); s.begun.Load() >= due {
			apptest.Pause(stop, about(random, 50*time.Millisecond))
			continue
		}
		n := []int{1, 1, 1, 5, 20, 60}[random.IntN(6)]
		s.begun.Add(int64(n))
		events := make([]*tortureEvent, n)
		for i := range events {
			events[i] = s.newEvent(random)
		}
		s.report(random, events)
		if random.IntN(20) == 0 {
			s.again(random)
		}
	}
}

// Types of events in the load. Those that merge come often.
var tortureKinds = slices.Concat(
	slices.Repeat([]string{"question.created", "answer.created", "comment.created", "answer.accepted"}, 3),
	slices.Repeat([]string{"question.edited", "answer.edited"}, 6),
	[]string{
		"user.created", "user.updated", "user.updated", "user.deleted", "team.created", "team.updated", "team_membership.created",
		"topic.created", "topic.accepted", "comment.deleted", "contact.created", "contact.changed", "sale.sold", "ticket.deleted", "lead.scored",
	},
)

func (s *tortureSite) newEvent(random *rand.Rand) *tortureEvent {
	s.mu.Lock()
	e := &tortureEvent{number: len(s.events)}
	s.events = append(s.events, e)
	s.mu.Unlock()
	e.kind = tortureKinds[random.IntN(len(tortureKinds))]
	e.location = torturePlaces[random.IntN(len(torturePlaces))]
	e.community = tortureCommunities[random.IntN(len(tortureCommunities))]
	// Edits may be told in another order than they happened; no two have the
	// same time.
	e.occurred = time.Now().UTC().Add(-time.Duration(random.Int64N(int64(2 * time.Second)))).Truncate(time.Millisecond).
		Add(time.Duration(e.number%1000) * time.Microsecond)
	e.text = fmt.Sprintf("ev%08dz of %s", e.number, e.location)
	if e.posts() {
		for _, tag := range tortureTags {
			if random.IntN(len(tortureTags)) < 2 {
				e.tags = append(e.tags, tag)
			}
		}
	}
	switch e.kind {
	case "question.edited", "answer.edited", "user.updated", "team.updated":
		e.key = fmt.Sprintf("%s %s %d", e.location, e.kind, 1+random.IntN(40))
	}
	return e
}

// posts tells whether the event is about a post of a Q&A site.
func (e *tortureEvent) posts() bool {
	return strings.HasPrefix(e.kind, "question.") || strings.HasPrefix(e.kind, "answer.") || e.kind == "comment.created"
}

// json is the event as the ingest API takes it. Its post has the event's
// number, unless it is to merge with others.
func (e *tortureEvent) json() []byte {
	subject := 1000 + e.number
	if e.key != "" {
		_, _ = fmt.Sscanf(e.key[strings.LastIndexByte(e.key, ' '):], "%d", &subject)
	}
	v := map[string]any{
		"id": "torture-" + strconv.Itoa(e.number), "type": e.kind, "location": e.location,
		"occurred_at": e.occurred.Format(time.RFC3339Nano),
	}
	if e.community != "" {
		v["community"] = e.community
	}
	if !e.posts() {
		v["subject"] = strconv.Itoa(subject)
		v["data"] = map[string]any{"id": subject, "topic_id": 1, "comment": e.text}
		text, _ := json.Marshal(v) //nolint:errchkjson // texts and numbers
		return text
	}
	question := map[string]any{"question_id": 1000 + e.number, "title": "A question", "link": "https://site.example/questions/1/a", "tags": e.tags}
	post := question
	switch family, _, _ := strings.Cut(e.kind, "."); family {
	case "question":
		question["question_id"] = subject
	case "answer":
		post = map[string]any{"answer_id": subject}
	case "comment":
		post = map[string]any{"comment_id": subject}
	}
	post["body"] = e.text
	family, _, _ := strings.Cut(e.kind, ".")
	v["question"], v[family] = question, post
	text, _ := json.Marshal(v) //nolint:errchkjson // texts and numbers
	return text
}

// report sends events until they are accepted, with the same ids each time.
func (s *tortureSite) report(random *rand.Rand, events []*tortureEvent) {
	body, kind := eventsBody(random, events)
	first := s.run.now()
	for _, e := range events {
		if e.posted == 0 {
			e.posted = first
		}
	}
	// Some lose patience, once: the request may have been heard or not.
	hasty := random.IntN(30) == 0
	deadline := time.Now().Add(2 * apptest.Patience)
	for {
		within := 40 * time.Second
		if hasty {
			hasty, within = false, time.Duration(1+random.IntN(20))*time.Millisecond
		}
		_, err := s.post(body, kind, len(events), within)
		if err == nil {
			break
		}
		s.run.count("requests repeated after no or a bad answer", 1)
		if s.run.isLost() {
			return
		}
		if time.Now().After(deadline) {
			s.run.fault("other faults", "%d events were not accepted: %v", len(events), err)
			return
		}
		apptest.Pause(nil, about(random, 200*time.Millisecond))
	}
	now := s.run.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range events {
		e.accepted = now
	}
	s.run.count("events accepted", len(events))
	if len(s.bodies) < 50 && kind != "application/x-ndjson" {
		s.bodies = append(s.bodies, body)
	}
}

// eventsBody is one of the forms in which events may be sent.
func eventsBody(random *rand.Rand, events []*tortureEvent) (body []byte, kind string) {
	texts := make([][]byte, len(events))
	for i, e := range events {
		texts[i] = e.json()
	}
	switch {
	case len(events) == 1 && random.IntN(2) == 0:
		return texts[0], "application/json"
	case random.IntN(2) == 0:
		return bytes.Join(texts, []byte("\n\n")), "application/x-ndjson"
	}
	return slices.Concat([]byte(`{"events":[`), bytes.Join(texts, []byte(",")), []byte(`]}`)), "application/json"
}

// post returns how many of the events were new.
func (s *tortureSite) post(body []byte, kind string, n int, within time.Duration) (accepted int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	base, err := s.run.fleet.any()
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api/v1/events", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+apptest.IngestToken)
	req.Header.Set("Content-Type", kind)
	begun := s.begin()
	resp, err := s.client.Do(req)
	if err != nil {
		begun.ended(0)
		return 0, err
	}
	defer resp.Body.Close()
	begun.ended(resp.StatusCode)
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	if resp.StatusCode == http.StatusServiceUnavailable {
		s.run.fleet.refused(resp.Header.Get("Retry-After"))
	}
	if resp.StatusCode != http.StatusAccepted {
		if resp.StatusCode != http.StatusServiceUnavailable && resp.StatusCode != http.StatusTooManyRequests {
			s.run.fault("other faults", "ingest answered %d %s", resp.StatusCode, text)
		}
		return 0, fmt.Errorf("answered %d %s", resp.StatusCode, text)
	}
	var answer struct{ Accepted, Duplicates int }
	if err := json.Unmarshal(text, &answer); err != nil || answer.Accepted+answer.Duplicates != n {
		s.run.fault("other faults", "of %d events the answer is %s", n, text)
	}
	return answer.Accepted, nil
}

// again sends events that were accepted before: nothing may come of it.
func (s *tortureSite) again(random *rand.Rand) {
	s.mu.Lock()
	if len(s.bodies) == 0 {
		s.mu.Unlock()
		return
	}
	body := s.bodies[random.IntN(len(s.bodies))]
	s.mu.Unlock()
	n := bytes.Count(body, []byte(`"occurred_at"`))
	if accepted, err := s.post(body, "application/json", n, 10*time.Second); err == nil {
		s.run.count("events sent twice after they were accepted", n)
		if accepted != 0 {
			s.run.fault("other faults", "%d of %d events were accepted twice", accepted, n)
		}
	}
}

var tortureMark = regexp.MustCompile(`ev(\d{8})z`)

// eventsIn finds the events that a body tells of, by the texts of their posts,
// which must be whole.
func (s *tortureSite) eventsIn(kind string, body []byte) ([]int, error) {
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return nil, err
	}
	var marks []int
	var err error
	eachText(value, func(text string) {
		for _, found := range tortureMark.FindAllStringSubmatch(text, -1) {
			n, _ := strconv.Atoi(found[1])
			e := s.event(n)
			if e == nil || text != e.text && (kind != "slack" || !strings.Contains(text, e.text)) {
				err = fmt.Errorf("the text %q is none of the site's", text)
				return
			}
			if slices.Contains(marks, n) {
				err = fmt.Errorf("event %d is in it twice", n)
			}
			marks = append(marks, n)
		}
	})
	return marks, err
}

func (s *tortureSite) event(n int) *tortureEvent {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n >= len(s.events) {
		return nil
	}
	return s.events[n]
}

// eachText looks at all texts of a value.
func eachText(value any, see func(text string)) {
	switch v := value.(type) {
	case string:
		see(v)
	case []any:
		for _, inner := range v {
			eachText(inner, see)
		}
	case map[string]any:
		for _, inner := range v {
			eachText(inner, see)
		}
	}
}
