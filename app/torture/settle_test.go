package torture

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// waitForAll makes everything well and waits until nothing is left to be done.
func (r *tortureRun) waitForAll() {
	for _, v := range r.targets.list {
		v.heal()
	}
	r.admin.set("Webhooks.EnableGenericWebhooks", "True")
	r.admin.set("Webhooks.DispatchDelay", "0")
	r.admin.set("Webhooks.DispatchInterval", "1")
	r.admin.resumeAll(false)
	// Released deliveries go out slowly, so it waits as long as there is
	// progress. Requests alone are not progress: they could repeat for ever.
	type depth struct{ events, waiting, requests int }
	var was depth
	moved, begun := time.Now(), time.Now()
	for round := 0; ; round++ {
		var now depth
		now.events, now.waiting = r.depth()
		if now.events+now.waiting == 0 || r.isLost() {
			return
		}
		if now.requests = len(r.targets.arrived()); now != was {
			was, moved = now, time.Now()
		}
		if time.Since(moved) > apptest.Patience || time.Since(begun) > 10*apptest.Patience {
			r.t.Logf("nothing moves any more: %d events are not dispatched, %d deliveries wait", now.events, now.waiting)
			return // the history tells which
		}
		apptest.Pause(nil, 250*time.Millisecond)
		if round%20 == 10 {
			r.hurry()
		}
	}
}

// depth asks the metrics how much is left.
func (r *tortureRun) depth() (events, deliveries int) {
	text := r.admin.sure(http.MethodGet, "/metrics", nil).Body
	for _, line := range apptest.Lines(text) {
		if rest, found := strings.CutPrefix(line, "sitehooks_undispatched_events "); found {
			events = number(rest)
		}
		if rest, found := strings.CutPrefix(line, "sitehooks_waiting_deliveries "); found {
			return events, number(rest)
		}
	}
	return 1, 0 // the database did not answer
}

func number(text string) int {
	var n float64
	_, _ = fmt.Sscan(text, &n)
	return int(n)
}

// hurry resumes webhooks that wait for a later attempt, as an administrator
// would once the receiver is well. The attempt could be hours away.
func (r *tortureRun) hurry() {
	later := map[int64]bool{}
	r.history("?state=waiting", func(d tortureDelivery) {
		if d.DueAt != nil && time.Until(*d.DueAt) > 10*time.Second {
			later[d.WebhookID] = true
		}
	})
	for _, w := range r.admin.living() {
		if later[w.id] {
			r.admin.sure(http.MethodPost, fmt.Sprintf("/admin/webhooks/%d/pause", w.id), nil)
		}
		r.admin.sure(http.MethodPost, fmt.Sprintf("/admin/webhooks/%d/resume", w.id), url.Values{"held": {"send"}})
	}
}

// tortureDelivery is a delivery as the export tells of it.
type tortureDelivery struct {
	ID        string     `json:"id"`
	WebhookID int64      `json:"webhook_id"`
	Type      string     `json:"type"`
	State     string     `json:"state"`
	Events    int        `json:"events"`
	Attempts  int        `json:"attempts"`
	DueAt     *time.Time `json:"due_at"`
	Reason    string     `json:"reason"`
}

// history reads the export of the deliveries.
func (r *tortureRun) history(query string, each func(tortureDelivery)) {
	text := r.admin.sure(http.MethodGet, "/admin/deliveries.json"+query, nil)
	var all []tortureDelivery
	if err := json.Unmarshal([]byte(text.Body), &all); err != nil {
		r.fault("other faults", "the export cannot be read: %d %v", text.Code, err)
	}
	for _, d := range all {
		each(d)
	}
}
