package app_test

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

func TestABacklogIsWorkedThroughOldestFirst(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		env := apptest.WithKey(apptest.Environment(t, kind))
		to := apptest.Backlog(t, env, 5, 10_000)
		apptest.Serve(t, env, "SITEHOOKS_LOG_LEVEL=error")
		for _, r := range to {
			apptest.Eventually(t, "the first of the backlog", func() bool { return r.Count() >= 400 })
			r.CheckOrder(t)
		}
	})
}

// hanging is a receiver over https whose first delivery finds it hanging. It
// tells the ids that came.
type hanging struct {
	*httptest.Server
	mu   sync.Mutex
	ids  []string
	over chan struct{}
}

func newHanging(t testing.TB) (h *hanging, trust string) {
	t.Helper()
	h = &hanging{over: make(chan struct{})}
	h.Server = httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body struct{ EventID string }
		_ = json.NewDecoder(r.Body).Decode(&body)
		if r.Header.Get("X-Hook-Test") != "" {
			return
		}
		h.mu.Lock()
		h.ids = append(h.ids, body.EventID)
		first := len(h.ids) == 1
		h.mu.Unlock()
		if first {
			select {
			case <-r.Context().Done():
			case <-h.over:
			}
		}
	}))
	t.Cleanup(func() {
		close(h.over)
		h.Close()
	})
	file := filepath.Join(t.TempDir(), "certificate.pem")
	ok(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate().Raw}), 0o600))
	return h, "SSL_CERT_FILE=" + file
}

func (h *hanging) came() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.ids)
}

// A stop waits 25 s for open requests, cuts them and ends. SuperOffice's
// receivers may take longer than that to answer.
func TestStopCutsWhatHangs(t *testing.T) {
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel() // it mostly waits
			env := apptest.WithKey(apptest.Environment(t, kind))
			h, trust := newHanging(t)
			in := apptest.Serve(t, env, trust)
			b := in.Login()
			b.Quick()
			b.CreateType("superoffice", apptest.TypeForm("superoffice", h.URL))
			in.Accept(apptest.QuestionJSON("hangs", 1, ""))
			apptest.Eventually(t, "the delivery that hangs", func() bool { return len(h.came()) == 1 })
			started := time.Now()
			if err := in.Terminate(); err != nil {
				t.Errorf("stopped with %v\n%s", err, in.Log)
			}
			t.Logf("stopped within %s", time.Since(started))
			if n := len(h.came()); n != 1 {
				t.Fatalf("%d requests before the stop was over", n)
			}
			if d := onlyDelivery(t, env); d.State != models.DeliveryPending || d.Tries != 0 {
				t.Errorf("what was cut is %+v", d)
			}
			apptest.Serve(t, env, trust)
			apptest.Eventually(t, "the repeat", func() bool { return len(h.came()) == 2 })
			if ids := h.came(); ids[0] == "" || ids[0] != ids[1] {
				t.Errorf("ids %v", ids)
			}
		})
	}
}

func onlyDelivery(t testing.TB, env []string) models.Delivery {
	t.Helper()
	s := apptest.OpenStore(t, env)
	defer s.Close()
	rows, _, err := s.Deliveries.List(t.Context(), models.DeliveryQuery{Within: models.AllLocations(), Limit: 10})
	ok(t, err)
	if len(rows) != 1 {
		t.Fatalf("%d deliveries", len(rows))
	}
	return rows[0].Delivery
}
