package bench

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// fanOut are events that each match many webhooks.
type fanOut struct {
	name, kind              string
	webhooks, events, bytes int
}

var fanOuts = []fanOut{
	{"one event of 255 KB for 5000", "generic", 5000, 1, 255 << 10},
	{"200 events of 3 KB for 1000", "stackauth", 1000, 200, 3 << 10},
}

// BenchmarkFanOut measures events that match many webhooks, in an instance that
// may use 512 MiB: its peak memory, how long until all are delivered, what they
// take in the database, and how long an event of another location and an answer
// of the ingest API take meanwhile. As root, where control groups of version 1
// are, the limit is one of a group; elsewhere it is GOMEMLIMIT.
func BenchmarkFanOut(b *testing.B) {
	for _, kind := range modelstest.Kinds() {
		for _, f := range fanOuts {
			b.Run(kind+" "+f.name, func(b *testing.B) {
				for b.Loop() {
					f.measure(b, kind)
				}
			})
		}
	}
}

func (f fanOut) measure(b *testing.B, kind string) {
	b.Helper()
	s := newBenchSite(b, kind)
	s.set(models.DispatchInterval, "0")
	var arrived atomic.Int64
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived.Add(1)
	}))
	defer receiver.Close()
	hooks := make([]models.WebhookInput, f.webhooks)
	for i := range hooks {
		hooks[i] = hook(f.kind, receiver.URL, strconv.Itoa(i))
	}
	other := apptest.NewWatch(b)
	elsewhere := hook("generic", other.URL, "other")
	elsewhere.Location = "elsewhere"
	s.create(append(hooks, elsewhere))
	s.rest()
	before := s.allBytes()

	in := s.serveIn(b, 512<<20)
	began := time.Now()
	in.Accept(f.json(0, min(f.events, 100)))
	if f.events > 100 {
		in.Accept(f.json(100, f.events))
	}
	accepted, answers := map[int64]time.Time{}, time.Duration(0)
	want := int64(f.webhooks * f.events)
	var delivered time.Duration
	for i := int64(1); arrived.Load() < want; i++ {
		asked := time.Now()
		in.Accept(strings.Replace(apptest.QuestionJSON(fmt.Sprint("other-", i), int(i), ""), `"type"`, `"location":"elsewhere","type"`, 1))
		accepted[i] = time.Now()
		answers = max(answers, accepted[i].Sub(asked))
		pause := time.NewTimer(100 * time.Millisecond) // between two events of a site
		<-pause.C
		delivered = time.Since(began)
	}
	apptest.Eventually(b, "the other location's events", func() bool { return other.Count() == len(accepted) })
	late := make([]time.Duration, len(accepted))
	for id, at := range accepted {
		late[id-1] = other.At[id].Sub(at)
	}
	b.Log("an event of the other location each 100 ms:", late)
	b.ReportMetric(in.Mebibytes(b, "VmHWM"), "MiB-peak")
	b.ReportMetric(delivered.Seconds(), "s-to-deliver-all")
	b.ReportMetric(slices.Max(late).Seconds(), "s-other-location-slowest")
	b.ReportMetric(answers.Seconds(), "s-answer-slowest")
	b.ReportMetric(float64(s.number("select coalesce(sum(length(body)), 0) from bodies")), "bytes-of-bodies")
	stop(b, []*apptest.Instance{in})
	s.rest()
	b.ReportMetric(float64(s.allBytes()-before)/float64(want), "bytes/delivery")
	b.ReportMetric(0, "ns/op")
}

// json is a request with the events from one number up to another.
func (f fanOut) json(from, to int) string {
	events := make([]string, 0, to-from)
	for i := from; i < to; i++ {
		events = append(events, fmt.Sprintf(`{"id":"fan-%d","type":"question.created","location":%q,"question":{"question_id":%d,"title":"Fan out","body":%q,"link":"https://site.example/q"}}`,
			i, benchLocation, i+1, strings.Repeat("x", f.bytes)))
	}
	return `{"events":[` + strings.Join(events, ",") + `]}`
}

// allBytes is the size of the database.
func (s *benchSite) allBytes() int64 {
	s.t.Helper()
	if s.postgres != 0 {
		return s.number("select pg_database_size(current_database())")
	}
	return s.number("select page_count * page_size from pragma_page_count, pragma_page_size")
}

// serveIn starts an instance that may use so many bytes of memory.
func (s *benchSite) serveIn(b *testing.B, limit int) *apptest.Instance {
	b.Helper()
	const groups = "/sys/fs/cgroup/memory"
	group := fmt.Sprintf("%s/sitehooks-bench-%d", groups, os.Getpid())
	if err := os.Mkdir(group, 0o755); err != nil && !os.IsExist(err) {
		return s.serve(b, fmt.Sprintf("GOMEMLIMIT=%d", limit*4/5))
	}
	b.Cleanup(func() { _ = os.Remove(group) })
	ok(b, os.WriteFile(group+"/memory.limit_in_bytes", []byte(strconv.Itoa(limit)), 0o600))
	enter := func(group string) {
		b.Helper()
		ok(b, os.WriteFile(group+"/cgroup.procs", []byte(strconv.Itoa(os.Getpid())), 0o600))
	}
	enter(group) // a child is born where its parent is
	in := s.serve(b)
	enter(groups)
	return in
}
