package torture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// tortureFleet is the instances and their database, and the faults of both.
type tortureFleet struct {
	run   *tortureRun
	env   []string
	slots []*tortureSlot
	db    *modelstest.Server // nil with SQLite
	clock *modelstest.ServerClock
	proxy *modelstest.Proxy  // between it and the second instance
	pools *modelstest.Pooler // between it and the third instance
	power sync.Mutex         // held while the server is ended or has no room
	peace sync.RWMutex       // held while only the doors are under attack; read: while something else is done
	ill   atomic.Int64       // faults of the database that go on
	froze atomic.Int64       // how often an instance was frozen
	disk  *modelstest.Disk   // nil: this user may not mount one
	full  atomic.Bool
	moved []time.Duration // when the database's clock was; under the run's lock
	alone time.Duration   // how long no instance may live before the run is lost

	mu   sync.Mutex
	ends []string  // of logs
	peak int64     // KiB of memory
	dead time.Time // when an instance ended by itself and none was up since; zero: it is not so
}

// tortureSlot is an instance that comes and goes.
type tortureSlot struct {
	fleet  *tortureFleet
	number int
	ports  *rand.Rand // of no consequence
	env    []string
	calm   sync.Mutex // held while it must stay up, and while it goes or comes

	mu     sync.Mutex
	base   string          // empty: it is not up
	frozen int             // odd: it is, now
	now    *tortureProcess // the newest, nil before the first
}

// tortureProcess is one life of an instance.
type tortureProcess struct {
	cmd  *exec.Cmd
	log  tailBuffer
	exit chan struct{} // closed when it ended, with err
	err  error
}

// tailBuffer keeps the end of the text written to it.
type tailBuffer struct {
	mu  sync.Mutex
	buf []byte
}

func (b *tailBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	const keep = 16 << 10
	b.buf = append(b.buf, p...)
	if len(b.buf) > 2*keep {
		b.buf = slices.Clone(b.buf[len(b.buf)-keep:])
	}
	return len(p), nil
}

func (b *tailBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.buf)
}

func newTortureFleet(r *tortureRun) *tortureFleet {
	f := &tortureFleet{run: r, alone: time.Minute}
	n := 1
	if r.kind == "sqlite" {
		f.env = append(tortureEnvironment(r), "SITEHOOKS_DATA_DIR="+f.onDisk())
	} else {
		n = 3
		f.server()
		f.clock = f.db.Clock(r.t)
		f.pools = modelstest.StartPgBouncer(r.t, f.db.URL("postgres"), "transaction")
		f.proxy = modelstest.NewProxy(r.t, f.db.URL("postgres"))
		f.env = append(tortureEnvironment(r), "DATABASE_URL="+f.db.URL("postgres"),
			"SITEHOOKS_SECRET_KEY=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=")
	}
	for i := range n {
		s := &tortureSlot{fleet: f, number: i, ports: r.random(rand.Uint64()), env: f.env}
		switch i {
		case 1:
			s.env = append(slices.Clone(f.env), "DATABASE_URL="+f.proxy.Through(f.db.URL("postgres")))
		case 2:
			s.env = append(slices.Clone(f.env), "DATABASE_URL="+f.pools.URL()+"&default_query_exec_mode=exec")
		}
		f.slots = append(f.slots, s)
		r.t.Cleanup(func() { s.end(syscall.SIGKILL) })
	}
	return f
}

func tortureEnvironment(r *tortureRun) []string {
	return []string{
		"SITEHOOKS_ADMIN_EMAIL=" + apptest.AdminEmail, "SITEHOOKS_ADMIN_PASSWORD=" + apptest.AdminPassword,
		"SITEHOOKS_INGEST_TOKEN=" + apptest.IngestToken, "SITEHOOKS_ALLOW_TARGETS=127.0.0.0/8", "SITEHOOKS_LOG_LEVEL=warn",
		r.targets.trust,
	}
}

// begin brings all instances up.
func (f *tortureFleet) begin() {
	go f.vigil(f.run.t.Context().Done())
	var wg sync.WaitGroup
	for _, s := range f.slots {
		wg.Go(s.start)
	}
	wg.Wait()
	if _, err := f.any(); err != nil {
		f.run.t.Fatalf("no instance comes up\n%s", f.tail())
	}
}

// finish ends all instances as an operator does.
func (f *tortureFleet) finish() {
	var wg sync.WaitGroup
	for _, s := range f.slots {
		wg.Go(func() { s.end(syscall.SIGTERM) })
	}
	wg.Wait()
}

// any is the address of an instance that is up.
func (f *tortureFleet) any() (string, error) {
	first := rand.IntN(len(f.slots))
	for i := range f.slots {
		s := f.slots[(first+i)%len(f.slots)]
		if base := s.address(); base != "" {
			return base, nil
		}
	}
	return "", errors.New("no instance is up")
}

// address is that of an instance that is up and not frozen; empty: it is not.
func (s *tortureSlot) address() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.frozen%2 == 1 {
		return ""
	}
	return s.base
}

// recover gives each instance that is up half a minute to be ready again after a
// fault. One that is ended or frozen meanwhile comes back only after it.
func (f *tortureFleet) recover() {
	deadline := time.Now().Add(30 * time.Second)
	for _, s := range f.slots {
		base := s.address()
		for base != "" && status(base+"/readyz") != http.StatusOK && time.Now().Before(deadline) {
			<-time.After(20 * time.Millisecond)
		}
	}
}

// refused counts an answer 503 of the ingest API.
func (f *tortureFleet) refused(retryAfter string) {
	if retryAfter == "" {
		f.run.fault("other faults", "a 503 without Retry-After")
	}
	if f.full.Load() {
		f.run.count("answers 503 while the disk was full", 1)
	}
}

func (f *tortureFleet) actors() []func(stop <-chan struct{}) {
	acts := []func(stop <-chan struct{}){f.measure}
	for i, s := range f.slots {
		random := f.run.random(randomSlots + uint64(i))
		acts = append(acts, func(stop <-chan struct{}) { s.live(stop, random) })
	}
	random := f.run.random(randomDatabase)
	acts = append(acts, f.often(5, f.run.frozen, f.freeze), func(stop <-chan struct{}) { f.fills(stop, f.run.random(randomDatabase+6)) })
	if f.db != nil {
		acts = append(acts,
			func(stop <-chan struct{}) { f.restarts(stop, random) },
			f.often(1, 3*f.run.restarts+1, f.cut),
			f.often(3, f.run.hangs, func(*rand.Rand) func(<-chan struct{}) { return f.hang }),
			f.often(4, f.run.readOnly, f.readOnly),
			f.often(7, f.run.poolers, f.pooler),
			f.often(8, f.run.clocks, f.moveClock))
	}
	return acts
}

// live ends an instance again and again, mostly the hard way, and starts it
// once more. All but the first stay away a longer time now and then.
func (s *tortureSlot) live(stop <-chan struct{}, random *rand.Rand) {
	for round := 1; apptest.Pause(stop, about(random, s.fleet.run.uptime)); round++ {
		how, what := syscall.SIGKILL, "kills"
		if round%6 == 3 {
			how, what = syscall.SIGTERM, "stops by SIGTERM"
		}
		away := time.Duration(random.Int64N(int64(s.fleet.run.uptime / 8)))
		if s.number > 0 && random.IntN(3) == 0 {
			away = s.fleet.run.uptime
		}
		s.fleet.peace.RLock()
		s.calm.Lock()
		s.end(how)
		s.fleet.run.count(what, 1)
		apptest.Pause(stop, away)
		s.start()
		s.calm.Unlock()
		s.fleet.peace.RUnlock()
	}
}

// end ends the instance, if it is up. A kill comes without any warning; at a
// SIGTERM it must end by itself, and well.
func (s *tortureSlot) end(how syscall.Signal) {
	s.mu.Lock()
	running, p := s.base != "", s.now
	s.base = ""
	s.mu.Unlock()
	if !running {
		return
	}
	s.fleet.memory(s)
	_ = p.cmd.Process.Signal(how)
	select {
	case <-p.exit:
	case <-time.After(apptest.Patience):
		s.fleet.run.fault("other faults", "an instance did not end at %s\n%s", how, &p.log)
		_ = p.cmd.Process.Kill()
		<-p.exit
	}
	if how == syscall.SIGTERM && p.err != nil {
		s.fleet.run.fault("other faults", "an instance stopped with %v\n%s", p.err, &p.log)
	}
	s.fleet.keep(p)
}

// start brings it up, again if the database or the disk is not there yet.
func (s *tortureSlot) start() {
	s.fleet.run.until("an instance is ready", func() bool { return s.ready(s.launch()) })
}

// free is an address at which nobody listens.
func (s *tortureSlot) free() (addr string) {
	s.fleet.run.until("a port is free", func() bool {
		addr = tortureAddr(s.ports, 22000)
		l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", addr)
		return err == nil && l.Close() == nil
	})
	return addr
}

func (s *tortureSlot) launch() (p *tortureProcess, base string) {
	addr := s.free()
	p = &tortureProcess{cmd: exec.Command(apptest.Binary, "serve"), exit: make(chan struct{})}
	p.cmd.Env = append(slices.Clone(s.env), "SITEHOOKS_ADDR="+addr)
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	if p.err = p.cmd.Start(); p.err != nil {
		close(p.exit)
		return p, ""
	}
	s.mu.Lock()
	s.now = p
	s.mu.Unlock()
	go func() {
		p.err = p.cmd.Wait()
		close(p.exit)
	}()
	return p, "http://" + addr
}

// ready waits until a process is, and says false if it ended or takes too long.
func (s *tortureSlot) ready(p *tortureProcess, base string) bool {
	for deadline := time.Now().Add(apptest.Patience); status(base+"/readyz") != http.StatusOK; {
		select {
		case <-p.exit:
			s.fleet.keep(p)
			s.fleet.died()
			return false
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			_ = p.cmd.Process.Kill()
			<-p.exit
			return false
		}
	}
	s.mu.Lock()
	s.base = base
	s.mu.Unlock()
	s.fleet.run.count("starts of instances", 1)
	go s.watch(p)
	return true
}

// watch tells when an instance ends that nobody ended.
func (s *tortureSlot) watch(p *tortureProcess) {
	<-p.exit
	s.mu.Lock()
	itself := s.base != "" && s.now == p
	if itself {
		s.base = ""
	}
	s.mu.Unlock()
	if itself {
		s.fleet.run.fault("other faults", "an instance ended by itself: %v\n%s", p.err, &p.log)
		s.fleet.died()
	}
}

// status is 0 when there is no answer.
func status(address string) int {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return 0
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// keep stores the end of a log, and searches it for forbidden text.
func (f *tortureFleet) keep(p *tortureProcess) {
	text := p.log.String()
	for _, bad := range []string{"panic", "fatal error"} {
		if strings.Contains(text, bad) {
			f.run.fault("other faults", "an instance's log has %q in it\n%s", bad, text)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ends = append(f.ends, text[max(0, len(text)-3000):])
	f.ends = f.ends[max(0, len(f.ends)-4):]
}

func (f *tortureFleet) tail() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	texts := slices.Clone(f.ends)
	for _, s := range f.slots {
		if s.now != nil {
			text := s.now.log.String()
			texts = append(texts, text[max(0, len(text)-6000):])
		}
	}
	return strings.Join(texts, "\n--\n")
}

// measure watches how much memory the instances take.
func (f *tortureFleet) measure(stop <-chan struct{}) {
	for apptest.Pause(stop, time.Second) {
		for _, s := range f.slots {
			f.memory(s)
		}
	}
}

func (f *tortureFleet) memory(s *tortureSlot) {
	s.mu.Lock()
	p := s.now
	s.mu.Unlock()
	if p == nil {
		return
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return // it ended
	}
	_, rest, _ := bytes.Cut(text, []byte("VmHWM:"))
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return
	}
	kib, _ := strconv.ParseInt(string(fields[0]), 10, 64)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.peak = max(f.peak, kib)
}
