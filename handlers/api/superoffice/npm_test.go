package superoffice

import (
	"bufio"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sitehooks/sitehooks/jobs"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestSuperOfficeClient: the vendor's own client works unchanged, and its
// signals are delivered by the jobs as they run in production.
func TestSuperOfficeClient(t *testing.T) {
	const folder = "../../../jobs/wire/testdata/npm"
	if _, err := os.Stat(folder + "/node_modules/@superoffice/webapi"); err != nil {
		t.Fatal("the vendors' npm packages are missing; this command installs them (as root on Debian Node.js too): make setup")
	}
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) {
			d := newDesk(t, modelstest.Open(t, modelstest.Options(t, kind)), modelstest.NewClock())
			d.api.Now = time.Now
			work := d.startJobs()
			d.api.OnAccepted, d.api.OnChange = work.Arrived, work.Changed
			d.target.failFirst("window.closed")

			node := exec.CommandContext(t.Context(), "node", "superoffice.cjs")
			node.Dir, node.Stderr = folder, t.Output()
			node.Env = append(os.Environ(), "BASE="+d.url, "TOKEN="+d.token, "CREATOR=Mary Wilkins", "TARGET="+d.target.URL+"/hook", "INSECURE=http://127.0.0.1:1/hook")
			input, err := node.StdinPipe()
			d.must(err)
			output, err := node.StdoutPipe()
			d.must(err)
			d.must(node.Start())
			if line, err := bufio.NewReader(output).ReadString('\n'); err == nil && line == "signalled\n" {
				d.target.wait(t, "contact.created")
			}
			d.must(input.Close()) // it goes on
			if err := node.Wait(); err != nil {
				t.Fatal(err)
			}
			d.delivered()
		})
	}
}

func (d *desk) startJobs() *jobs.Jobs {
	d.t.Helper()
	for _, name := range []string{models.DispatchInterval, models.DispatchDelay} {
		d.must(d.store.Settings.Change(d.t.Context(), mary, name, "0", "test"))
	}
	work, err := jobs.New(jobs.Deps{
		Store: d.store, Sender: d.sender, Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
	})
	d.must(err)
	d.must(work.Start(d.t.Context()))
	d.t.Cleanup(func() { _ = work.Stop(d.t.Context()) })
	return work
}

// delivered checks the requests of the receiver.
func (d *desk) delivered() {
	d.t.Helper()
	var events []string
	for _, r := range d.target.requests() {
		event := r.header.Get("X-Superoffice-Event")
		events = append(events, event)
		if !r.signedWith("a shared secret") || r.header.Get("X-Api-Key") != "very private" {
			d.t.Errorf("%s: %v", event, r.header)
		}
		var body struct {
			Event, WebhookName, Source string
			PrimaryKey                 int
			FieldValues                json.RawMessage
		}
		d.decode(string(r.body), &body)
		if body.Event != event || body.Source != "npm" {
			d.t.Errorf("%s: %s", event, r.body)
		}
		if event == "window.closed" && (body.PrimaryKey != 7 || body.WebhookName != "Renamed" || string(body.FieldValues) != `{"windowName":"foo","widgets":123}`) {
			d.t.Errorf("%s: %s", event, r.body)
		}
	}
	if want := []string{"test", "test", "window.closed", "window.closed", "contact.created"}; !slices.Equal(events, want) {
		d.t.Errorf("received %q, want %q", events, want)
	}
}

// failFirst has the first request about an event answered by 500.
func (r *target) failFirst(event string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failing = event
}

// wait returns when a request about an event has come.
func (r *target) wait(t *testing.T, event string) {
	t.Helper()
	timeout := time.After(time.Minute)
	for {
		select {
		case got := <-r.came:
			if got == event {
				return
			}
		case <-timeout:
			t.Fatalf("%s did not come", event)
		}
	}
}

// statusOf is the answer to a request; the caller holds the lock.
func (r *target) statusOf(event string) int {
	if r.failing != event {
		return r.status
	}
	r.failing = ""
	return http.StatusInternalServerError
}
