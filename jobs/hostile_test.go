package jobs

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

func gzipped(n int) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(make([]byte, n))
	_ = w.Close()
	return b.Bytes()
}

// hostileAnswers are answers of receivers that are hard to record. Those that
// break the connection are tested where requests are made.
var hostileAnswers = map[string]http.HandlerFunc{
	"NUL and invalid UTF-8": func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["X-Odd"] = []string{"\xff\xfe é", "\xed\xa0\x80"}
		_, _ = w.Write([]byte("a\x00b\xff\xed\xa0\x80\xf0\x9f"))
	},
	"a body without end": func(w http.ResponseWriter, _ *http.Request) {
		for chunk := bytes.Repeat([]byte("€\x00"), 4096); ; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	},
	"a gzip bomb": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(gzipped(4 << 20))
	},
	"10,000 headers": func(w http.ResponseWriter, _ *http.Request) {
		for i := range 10_000 {
			w.Header().Set(fmt.Sprint("X-", i), "v")
		}
	},
	"a header of 1 MB": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Huge", strings.Repeat("x", 1<<20)) },
	"headers of 30 KiB": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Large", strings.Repeat("\xff", 30<<10))
		w.WriteHeader(http.StatusBadGateway)
	},
	"a redirect inward": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "http://169.254.169.254/latest/meta-data")
		w.WriteHeader(http.StatusTemporaryRedirect)
	},
	"an error page with 200": func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<!doctype html><h1>500 Internal Server Error</h1><script>alert(1)</script>"))
	},
	"Retry-After of ten years": retryAfterOf("315360000"),
	"Retry-After in the past":  retryAfterOf("Sat, 01 Jan 0000 00:00:00 GMT"),
	"Retry-After below zero":   retryAfterOf("-5"),
	"Retry-After of nonsense":  retryAfterOf("soon\xff"),
}

func retryAfterOf(value string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Retry-After"] = []string{value}
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

// TestHostileAnswersAreRecorded: for any answer, the attempt is recorded within
// its limits, the delivery has a next step within the schedule, and the next
// delivery of the same worker goes on. On both databases, since they do not
// hold the same texts.
func TestHostileAnswersAreRecorded(t *testing.T) {
	onBoth(t, func(b *bench) {
		n := 0
		for name, answer := range hostileAnswers {
			n++
			hostile := httptest.NewServer(answer)
			b.t.Cleanup(hostile.Close)
			w := b.webhook(func(in *models.WebhookInput) { in.Name, in.URL = name, hostile.URL })
			b.record(question(fmt.Sprint("hostile-", n), n, nil))
			b.later()
			b.deliver(w)
			d := b.only(w)
			attempts, err := b.store.Deliveries.Attempts(b.t.Context(), d.ID)
			ok(b.t, err)
			if len(attempts) != 1 || d.Tries != 1 {
				b.t.Errorf("%s: %d attempts recorded, %d counted", name, len(attempts), d.Tries)
				continue
			}
			a := attempts[0]
			if len(a.ResponseBody) > 64<<10 || len(a.ResponseHeaders) > 2*32<<10 || !utf8.Valid(a.ResponseBody) || bytes.IndexByte(a.ResponseBody, 0) >= 0 {
				b.t.Errorf("%s: recorded %d bytes of body, %d of headers", name, len(a.ResponseBody), len(a.ResponseHeaders))
			}
			if (a.Code == 0) == (a.ErrorClass == "") || !json.Valid(a.ResponseHeaders) {
				b.t.Errorf("%s: %+v", name, a)
			}
			if d.State == models.DeliveryRetrying {
				now, err := b.store.Now(b.t.Context())
				ok(b.t, err)
				if wait := d.DueAt.Sub(now); wait <= 0 || wait > time.Hour {
					b.t.Errorf("%s: tried again after %s", name, wait)
				}
			} else if d.State != models.DeliveryDelivered {
				b.t.Errorf("%s: %s", name, d.State)
			}
			ok(b.t, b.store.Webhooks.Pause(b.t.Context(), admin, w.ID)) // or it gets the next one's event as well
			_, err = b.store.Webhooks.Delete(b.t.Context(), admin, w.ID)
			ok(b.t, err)
		}
		w := b.webhook(nil)
		b.record(question("after all", 99, nil))
		b.later()
		b.deliver(w)
		if d := b.only(w); d.State != models.DeliveryDelivered {
			b.t.Errorf("after them all: %s", d.State)
		}
	})
}

// TestBlockedOnTheWay: a target that is no longer allowed, since the setting
// changed or the webhook came from elsewhere, is refused by delivery and
// resend as by a save, in the same words.
func TestBlockedOnTheWay(t *testing.T) {
	onBoth(t, func(b *bench) {
		for _, target := range []string{"http://169.254.169.254/", "http://10.0.0.1:1/", "http://[::1]/", "http://2130706433/"} {
			w := b.webhook(func(in *models.WebhookInput) { in.URL = target })
			b.record(question(target, 1, nil))
			b.later()
			b.deliver(w)
			d := b.only(w)
			ok(b.t, b.store.Deliveries.Resend(b.t.Context(), admin, d.PublicID))
			b.deliver(w)
			attempts, err := b.store.Deliveries.Attempts(b.t.Context(), d.ID)
			ok(b.t, err)
			if len(attempts) != 2 {
				b.t.Fatalf("%s: %d attempts", target, len(attempts))
			}
			for _, a := range attempts {
				if a.ErrorClass != wire.ClassBlocked || a.Code != 0 {
					b.t.Errorf("%s: %+v", target, a)
				}
			}
			_, err = b.store.Webhooks.Delete(b.t.Context(), admin, w.ID)
			ok(b.t, err)
		}
	})
}

// delivered is a delivery with the outcome that it arrived, not recorded yet.
func delivered(b *bench) (models.Webhook, models.DeliveryRow, models.Outcome) {
	b.t.Helper()
	w := pending(b, nil)
	d := b.only(w)
	now, err := b.store.Now(b.t.Context())
	ok(b.t, err)
	return w, d, models.Outcome{State: models.DeliveryDelivered, Round: 1, Attempt: models.Attempt{
		DeliveryID: d.ID, WebhookID: w.ID, StartedAt: now, Code: 200, Arrived: true, RequestHeaders: []byte("[]"),
		ResponseHeaders: []byte("[]"), ResponseBody: []byte{},
	}}
}

// errorLog calls a function with each error that is logged.
type errorLog struct {
	slog.Handler
	logged func()
}

// Enabled implements slog.Handler.
func (errorLog) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }

// Handle implements slog.Handler.
func (e errorLog) Handle(context.Context, slog.Record) error {
	e.logged()
	return nil
}

// TestRecordingIsTriedAtLongerAndLongerIntervals: a database that cannot record
// is asked again after 50 ms, 100 ms and so on, until it can.
func TestRecordingIsTriedAtLongerAndLongerIntervals(t *testing.T) {
	onBoth(t, func(b *bench) {
		w, _, o := delivered(b)
		b.exec("alter table attempts rename to attempts_away")
		var failed []time.Time
		b.runner.log = slog.New(errorLog{slog.DiscardHandler, func() {
			if failed = append(failed, time.Now()); len(failed) == 3 {
				b.exec("alter table attempts_away rename to attempts")
			}
		}})
		ok(b.t, b.runner.recordSurely(b.t.Context(), w.ID, "", []models.Outcome{o}, models.LaneHealth{}))
		if first, second := failed[1].Sub(failed[0]), failed[2].Sub(failed[1]); len(failed) != 3 || first < 50*time.Millisecond || second < 100*time.Millisecond {
			b.t.Errorf("%d failures, %s and %s apart", len(failed), first, second)
		}
		if d := b.only(w); d.State != models.DeliveryDelivered {
			b.t.Errorf("%+v", d.Delivery)
		}
	})
}

// TestWhatCannotBeRecordedIsNotSentForEver: when the database refuses a
// receiver's answer, only the answer is left out, and the delivery is done.
func TestWhatCannotBeRecordedIsNotSentForEver(t *testing.T) {
	onBoth(t, func(b *bench) {
		if b.store.Postgres() == nil {
			return // it takes every text
		}
		w, d, o := delivered(b)
		o.Attempt.Error = "a\x00b" // as if nobody had made it text
		ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
		defer cancel()
		if err := b.runner.recordSurely(ctx, w.ID, "", []models.Outcome{o}, models.LaneHealth{}); err != nil {
			b.t.Fatal(err)
		}
		attempts, err := b.store.Deliveries.Attempts(b.t.Context(), d.ID)
		ok(b.t, err)
		if len(attempts) != 1 || attempts[0].Error != "cannot store the response" || b.only(w).State != models.DeliveryDelivered {
			b.t.Errorf("%+v", attempts)
		}
		b.deliver(w)
		if requests := len(b.receiver.requests()); requests != 0 {
			b.t.Errorf("it was sent %d times more", requests)
		}
	})
	if models.Refused(errors.New("any other")) {
		t.Error("a database that is away is said to refuse")
	}
}
