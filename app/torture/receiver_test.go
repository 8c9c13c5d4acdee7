package torture

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// tortureReceivers are where webhooks send to. Each request's path says which
// webhook it is for, and of which type.
type tortureReceivers struct {
	run   *tortureRun
	list  []*tortureReceiver
	trust string // for the environment of an instance
	tls   *tls.Config

	mu  sync.Mutex
	got []tortureGot
}

// tortureGot is one request that arrived.
type tortureGot struct {
	webhook, receiver int
	id                string // of the delivery; of a type without one, a name for the body
	sum               string // of the body
	marks             []int  // of the events inside
	at                time.Duration
	taken             bool // it was answered as its type wants it, to the end
}

// tortureReceiver is one of them, and how it behaves now.
type tortureReceiver struct {
	all    *tortureReceivers
	number int
	addr   string

	mu     sync.Mutex
	mood   string
	healed chan struct{} // closed when the mood ends
	server *http.Server  // nil: it refuses connections
}

// The moods of a receiver.
var tortureMoods = []string{"hangs", "drips", "refuses", "500", "500", "503", "429", "410", "redirects"}

// ordinaryReceivers is how many there are beside that of the crowd.
const ordinaryReceivers = 6

func newTortureReceivers(r *tortureRun) *tortureReceivers {
	model := httptest.NewTLSServer(nil) // for its certificate
	defer model.Close()
	file := filepath.Join(r.t.TempDir(), "certificate.pem")
	ok(r.t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: model.Certificate().Raw}), 0o600))
	all := &tortureReceivers{
		run: r, trust: "SSL_CERT_FILE=" + file,
		tls: &tls.Config{Certificates: model.TLS.Certificates, MinVersion: tls.VersionTLS12},
	}
	random := r.random(randomReceivers)
	for i := range ordinaryReceivers + 1 {
		v := &tortureReceiver{all: all, number: i, healed: make(chan struct{})}
		for v.server == nil {
			v.addr = tortureAddr(random, 12000)
			_ = v.listen()
		}
		all.list = append(all.list, v)
		r.t.Cleanup(v.refuse)
	}
	return all
}

// tortureAddr is an address among 10,000 that the system does not assign on its
// own. Receivers and instances have ranges of their own, so that the port of
// one that does not listen just now is not taken by another.
func tortureAddr(random *rand.Rand, from int) string {
	return "127.0.0.1:" + strconv.Itoa(from+random.IntN(10_000))
}

func (v *tortureReceiver) listen() error {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", v.addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: v, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0)}
	v.mu.Lock()
	v.server = server
	v.mu.Unlock()
	go func() { _ = server.Serve(tls.NewListener(l, v.all.tls)) }()
	return nil
}

// refuse ends all connections too.
func (v *tortureReceiver) refuse() {
	v.mu.Lock()
	server := v.server
	v.server = nil
	v.mu.Unlock()
	if server != nil {
		_ = server.Close()
	}
}

func (v *tortureReceiver) url(webhook int, kind string) string {
	return fmt.Sprintf("https://%s/%d/%s", v.addr, webhook, kind)
}

// crowded is the receiver of all webhooks of the crowd.
func (all *tortureReceivers) crowded() *tortureReceiver { return all.list[ordinaryReceivers] }

// actors give each receiver bad spells, but for that of the crowd.
func (all *tortureReceivers) actors() []func(stop <-chan struct{}) {
	var acts []func(stop <-chan struct{})
	for i, v := range all.list[:ordinaryReceivers] {
		random := all.run.random(randomReceivers + 1 + uint64(i))
		acts = append(acts, func(stop <-chan struct{}) { v.spells(stop, random) })
	}
	return acts
}

// spells are rare enough for most requests to arrive.
func (v *tortureReceiver) spells(stop <-chan struct{}, random *rand.Rand) {
	for apptest.Pause(stop, about(random, v.all.run.spells*time.Duration(len(v.all.list)))) {
		mood := tortureMoods[random.IntN(len(tortureMoods))]
		v.all.run.count("bad spells of receivers", 1)
		v.become(mood)
		apptest.Pause(stop, about(random, v.all.run.spells))
		v.heal()
	}
}

func (v *tortureReceiver) become(mood string) {
	v.mu.Lock()
	v.mood = mood
	v.mu.Unlock()
	if mood == "refuses" {
		v.refuse()
	}
}

// heal ends its spell, and the requests that hang.
func (v *tortureReceiver) heal() {
	v.mu.Lock()
	refused := v.server == nil
	v.mood = ""
	close(v.healed)
	v.healed = make(chan struct{})
	v.mu.Unlock()
	if refused { // another process that has the port by chance releases it
		v.all.run.until("a receiver listens again", func() bool { return v.listen() == nil })
	}
}

// ServeHTTP records the request and answers according to its mood.
func (v *tortureReceiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	at := v.all.run.now()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the sender was killed
	}
	number, kind, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/"), "/")
	webhook, _ := strconv.Atoi(number)
	if req.Header.Get("X-Hook-Test") != "" {
		fmt.Fprint(w, "ok") // so that webhooks of this type can be saved at all
		return
	}
	got := tortureGot{webhook: webhook, receiver: v.number, at: at}
	got.read(v.all.run, kind, req.Header, body)
	defer func() {
		v.all.mu.Lock()
		defer v.all.mu.Unlock()
		v.all.got = append(v.all.got, got)
	}()
	got.taken = v.answer(w, req)
}

// answer says whether it took the request, as far as a receiver can know.
func (v *tortureReceiver) answer(w http.ResponseWriter, req *http.Request) bool {
	v.mu.Lock()
	mood, healed := v.mood, v.healed
	v.mu.Unlock()
	switch mood {
	case "hangs":
		select {
		case <-healed:
		case <-req.Context().Done():
		}
		panic(http.ErrAbortHandler)
	case "drips":
		return drip(w, req)
	case "410", "429", "500", "503":
		code, _ := strconv.Atoi(mood)
		if code == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "1")
		}
		http.Error(w, "not now", code)
		return false
	case "redirects":
		http.Redirect(w, req, "https://"+v.addr+"/0/elsewhere", http.StatusTemporaryRedirect)
		return false
	}
	_, err := io.WriteString(w, "ok")
	return err == nil
}

// drip answers rightly, but takes its time.
func drip(w http.ResponseWriter, req *http.Request) bool {
	out := http.NewResponseController(w)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for _, piece := range []string{" ", " ", "ok"} {
		select {
		case <-tick.C:
		case <-req.Context().Done():
			panic(http.ErrAbortHandler)
		}
		if _, err := io.WriteString(w, piece); err != nil || out.Flush() != nil {
			panic(http.ErrAbortHandler)
		}
	}
	return true
}

// tortureIDs are the headers in which types tell a delivery's id.
var tortureIDs = map[string]string{"generic": "webhook-id", "stackauth": "svix-id", "superoffice": "X-SuperOffice-EventId"}

// read verifies a request as its receiver would and finds the events in it.
func (g *tortureGot) read(r *tortureRun, kind string, header http.Header, body []byte) {
	sum := sha256.Sum256(body)
	g.sum = hex.EncodeToString(sum[:12])
	if g.id = header.Get(tortureIDs[kind]); g.id == "" {
		g.id = g.sum
	}
	if err := apptest.VerifyType(kind, apptest.Delivered{ID: g.id, Header: header, Body: body}); err != nil {
		r.fault("other faults", "a signature of a %s webhook does not hold: %v", kind, err)
	}
	var err error
	if g.marks, err = r.site.eventsIn(kind, body); err != nil {
		r.fault("misrouted", "webhook %d (%s): %v\n%.2000s", g.webhook, kind, err, body)
	}
}

// arrived is all that came so far.
func (all *tortureReceivers) arrived() []tortureGot {
	all.mu.Lock()
	defer all.mu.Unlock()
	return all.got
}
