package superoffice

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// target is a receiver with a certificate that the desk's sender trusts.
type target struct {
	*httptest.Server
	mu      sync.Mutex
	status  int
	failing string // event whose next request is answered by 500
	got     []gotRequest
	came    chan string // events, as they come; those that nobody reads are dropped
}

type gotRequest struct {
	header http.Header
	body   []byte
}

func newTarget(t *testing.T) *target {
	t.Helper()
	r := &target{status: http.StatusOK, came: make(chan string, 100)}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		event := q.Header.Get("X-Superoffice-Event")
		r.mu.Lock()
		r.got = append(r.got, gotRequest{q.Header, body})
		status := r.statusOf(event)
		r.mu.Unlock()
		select {
		case r.came <- event:
		default:
		}
		w.Header().Set("X-Seen", q.Header.Get("X-Api-Key"))
		w.WriteHeader(status)
		_, _ = w.Write([]byte("thanks for " + event))
	}))
	r.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	t.Cleanup(r.Close)
	return r
}

func (r *target) answers(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// requests are those since the last call.
func (r *target) requests() []gotRequest {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.got
	r.got = nil
	return got
}

func (r gotRequest) signedWith(secret string) bool {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(r.body)
	return r.header.Get("X-Superoffice-Signature") == base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// desk is the API over a real store, reached over HTTP.
type desk struct {
	t      *testing.T
	store  *models.Store
	clock  *modelstest.Clock
	api    *API
	sender *send.Client
	url    string // ends before /v1
	token  string
	target *target
	other  *target // another host
	woken  atomic.Int64
	counts chan map[string]int
}

// onBothStores runs a test on both databases, with the feature on.
func onBothStores(t *testing.T, test func(d *desk)) {
	t.Helper()
	modelstest.Each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		test(newDesk(t, s, clock))
	})
}

// onSQLite is for tests that do not depend on the database.
func onSQLite(t *testing.T, test func(d *desk)) {
	t.Helper()
	clock := modelstest.NewClock()
	o := modelstest.Options(t, "sqlite")
	o.Clock = clock.Now
	test(newDesk(t, modelstest.Open(t, o), clock))
}

var mary = models.Actor{UserID: 1, Name: "Mary Wilkins"}

func newDesk(t *testing.T, s *models.Store, clock *modelstest.Clock) *desk {
	t.Helper()
	d := &desk{t: t, store: s, clock: clock, target: newTarget(t), other: newTarget(t), counts: make(chan map[string]int, 100)}
	_, err := s.Users.Create(t.Context(), models.User{Email: "mary@example.com", Name: mary.Name, Role: models.RoleAdministrator})
	d.must(err)
	d.feature("True")
	roots := x509.NewCertPool()
	roots.AddCert(d.target.Certificate())
	sender := send.New(send.Config{AllowCIDRs: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, RootCAs: roots})
	t.Cleanup(sender.Close)
	d.sender = sender
	log := slog.New(slog.DiscardHandler)
	access := api.NewAccess(api.AccessDeps{Tokens: s.Tokens, IngestToken: "configured", Log: log})
	d.api = New(Deps{
		Store: s, Sender: sender, Access: access, Log: log, Now: clock.Now,
		OnChange: func() { d.woken.Add(1) }, OnAccepted: func() { d.woken.Add(1) },
		Accepted: func(types map[string]int) { d.counts <- types },
	})
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.Any("/superoffice/api/*path", d.api.Handle)
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	d.url = server.URL + "/superoffice/api"
	d.token = d.newToken(models.ScopeSuperOffice, "")
	return d
}

func (d *desk) newToken(scope, location string) string {
	d.t.Helper()
	plain, err := d.store.Tokens.Create(d.t.Context(), models.Token{Name: "crm", Scope: scope, Location: location, CreatedBy: mary.Name, CreatedByID: mary.UserID})
	d.must(err)
	return plain
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) feature(value string) {
	d.t.Helper()
	d.must(d.store.Settings.Change(d.t.Context(), mary, models.EnableGenericWebhooks, value, "test"))
}

// do sends a request. The parameter header overrides headers, and removes one
// with an empty value.
func (d *desk) do(method, path, body string, header ...string) received {
	d.t.Helper()
	q, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, strings.NewReader(body))
	d.must(err)
	q.Header.Set("Authorization", "Bearer "+d.token)
	if body != "" {
		q.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		if q.Header.Del(header[i]); header[i+1] != "" {
			q.Header.Set(header[i], header[i+1])
		}
	}
	p, err := http.DefaultClient.Do(q)
	d.must(err)
	defer p.Body.Close()
	text, err := io.ReadAll(p.Body)
	d.must(err)
	return received{p.StatusCode, p.Header, string(text)}
}

// hook is a definition as programs see it.
type hook struct {
	WebhookID           int64 `json:"WebhookId"`
	Name                *string
	Events              []string
	ErrorsEmail         *string
	TargetURL           *string `json:"TargetUrl"`
	Secret              *string
	State               string
	Type                string
	Headers             map[string]*string
	Properties          json.RawMessage
	Registered, Updated string
	RegisteredAssociate *associate
	UpdatedAssociate    *associate
}

// ok expects an answer with a definition.
func (d *desk) ok(r received) hook {
	d.t.Helper()
	var h hook
	if r.status != http.StatusOK {
		d.t.Fatalf("%d %s", r.status, r.body)
	}
	d.must(json.Unmarshal([]byte(r.body), &h))
	return h
}

// refused expects an error that says each of the words.
func (d *desk) refused(r received, status int, words ...string) {
	d.t.Helper()
	var p struct {
		Error                      bool
		ErrorType, Message, Detail string
		Status                     int
		Errors                     []api.FieldError
	}
	if err := json.Unmarshal([]byte(r.body), &p); err != nil || r.header.Get("Content-Type") != "application/problem+json" {
		d.t.Errorf("no problem: %d %s (%s)", r.status, r.body, r.header.Get("Content-Type"))
		return
	}
	if r.status != status || p.Status != status || !p.Error || p.ErrorType == "" || p.Message == "" || p.Detail != p.Message || len(p.Errors) == 0 {
		d.t.Errorf("want %d, got %d %s", status, r.status, r.body)
	}
	for _, word := range words {
		if !strings.Contains(p.Message, word) {
			d.t.Errorf("%q does not say %q", p.Message, word)
		}
	}
}

// body is a good definition with some keys replaced; nil removes one.
func (d *desk) body(change map[string]any) string {
	d.t.Helper()
	m := map[string]any{
		"Name": "My hook", "Events": []string{"contact.created", "sale.sold"}, "TargetUrl": d.target.URL + "/hook?a=1",
	}
	for key, value := range change {
		if m[key] = value; value == nil {
			delete(m, key)
		}
	}
	text, err := json.Marshal(m)
	d.must(err)
	return string(text)
}

// created makes a webhook and forgets its test event.
func (d *desk) created(change map[string]any) hook {
	d.t.Helper()
	h := d.ok(d.do(http.MethodPost, "/v1/Webhook", d.body(change)))
	d.target.requests()
	return h
}

func (d *desk) opened(id int64) (models.Webhook, models.Opened) {
	d.t.Helper()
	w, err := d.store.Webhooks.Get(d.t.Context(), models.AllLocations(), id)
	d.must(err)
	o, err := d.store.Webhooks.Open(w)
	d.must(err)
	return w, o
}

func (d *desk) count() int {
	d.t.Helper()
	hooks, _, err := d.store.Webhooks.All(d.t.Context())
	d.must(err)
	return len(hooks)
}

// hasKeys tells whether a JSON object has these keys in this order.
func hasKeys(object string, keys ...string) bool {
	dec := json.NewDecoder(bytes.NewReader([]byte(object)))
	var got []string
	if _, err := dec.Token(); err != nil {
		return false
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return false
		}
		var value json.RawMessage
		name, ok := key.(string)
		if !ok || dec.Decode(&value) != nil {
			return false
		}
		got = append(got, name)
	}
	return slices.Equal(got, keys)
}

func pathOf(h hook) string { return "/v1/Webhook/" + strconv.FormatInt(h.WebhookID, 10) }

func (d *desk) decode(body string, to any) {
	d.t.Helper()
	if err := json.Unmarshal([]byte(body), to); err != nil {
		d.t.Fatalf("%v: %s", err, body)
	}
}

// names are those of a list of webhooks.
func (d *desk) names(r received) string {
	d.t.Helper()
	var list []hook
	d.decode(r.body, &list)
	names := make([]string, len(list))
	for i, h := range list {
		names[i] = *h.Name
	}
	return strings.Join(names, ",")
}

// selfSigned is a certificate that nobody vouches for.
func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// received is the answer to a request.
type received struct {
	status int
	header http.Header
	body   string
}
