package webtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webhooks"
	"github.com/sitehooks/sitehooks/models"
)

// Filled is the form of a new generic webhook that posts to a URL. pairs are
// names and values of further fields.
func (c *Console) Filled(to string, pairs ...string) url.Values {
	form := c.Get(NewForm).Want(http.StatusOK).Form()
	Fill(form, "name", "Python Accepted Answers", "events", "answer.accepted", "url", to)
	return Fill(form, pairs...)
}

// Only is the one webhook that there is.
func (c *Console) Only() models.Webhook {
	c.t.Helper()
	all, _, err := c.Store.Webhooks.All(c.t.Context())
	OK(c.t, err)
	if len(all) != 1 {
		c.t.Fatalf("there are %d webhooks", len(all))
	}
	return all[0]
}

// Opened is a webhook's decrypted content.
func (c *Console) Opened(w models.Webhook) models.Opened {
	c.t.Helper()
	o, err := c.Store.Webhooks.Open(w)
	OK(c.t, err)
	return o
}

// EditPath is the address of a webhook's form.
func EditPath(w models.Webhook) string { return webhooks.WebhookPath(w.ID) + "/edit" }

// Fill sets fields; an empty value empties the field.
func Fill(form url.Values, pairs ...string) url.Values {
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

// NewForm is the address of the form for a new generic webhook.
const NewForm = "/admin/webhooks/new?type=generic"

// Fragment asks as our scripts do.
func (c *Console) Fragment(name, path string, form url.Values) *Answer {
	c.t.Helper()
	req := c.Request(http.MethodGet, path, nil)
	if form != nil {
		req = c.Request(http.MethodPost, path, strings.NewReader(form.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set(web.FragmentHeader, name)
	return c.Do(req)
}

// AddEvent records an event about a question of that number.
func (c *Console) AddEvent(n int, kind, community string, tags ...string) {
	c.t.Helper()
	payload, err := json.Marshal(map[string]any{
		"question": map[string]any{"question_id": n, "title": fmt.Sprintf("Question %d <b>", n), "link": "https://example.com/questions/" + strconv.Itoa(n), "tags": tags},
		"answer":   map[string]any{"answer_id": 1000 + n, "body": "Use join."},
		"type":     kind, "location": "python-wranglers", "community": community,
	})
	OK(c.t, err)
	_, _, err = c.Store.Events.Record(c.t.Context(), []models.NewEvent{{
		EventID: fmt.Sprint("event-", n, kind), Type: kind, Location: "python-wranglers", Community: community, Tags: tags,
		OccurredAt: time.Now().Add(time.Duration(n) * time.Second), MergeKey: kind + strconv.Itoa(n), Subject: strconv.Itoa(n),
		Title: fmt.Sprintf("Question %d <b>", n), Payload: payload,
	}})
	OK(c.t, err)
}

// Reveals checks that an answer has one of the secrets, or none of them.
func (a *Answer) Reveals(secret string) *Answer {
	a.T.Helper()
	for _, one := range []string{FirstSecret, SecondSecret} {
		if strings.Contains(a.Body, one) != (one == secret) {
			a.T.Errorf("%q is on the page: %v", one, one != secret)
		}
	}
	if secret != "" && a.Text("#revealed") != secret {
		a.T.Errorf("#revealed says %q", a.Text("#revealed"))
	}
	if got := a.Header.Get("Cache-Control"); got != "no-store" {
		a.T.Errorf("Cache-Control is %q", got)
	}
	return a
}

// AddSecretWebhook stores a webhook with two signing secrets.
func (c *Console) AddSecretWebhook() models.Webhook {
	c.t.Helper()
	return c.AddWebhook(func(in *models.WebhookInput) { in.Secrets[0].Set, in.Secrets[1].Set = FirstSecret, SecondSecret })
}

// FirstSecret and SecondSecret are the signing secrets that AddSecretWebhook
// stores.
const (
	FirstSecret  = "the first secret of this webhook"
	SecondSecret = "the second secret of this webhook"
)

// AddDelivery makes a delivery that waits.
func (c *Console) AddDelivery(w models.Webhook) {
	c.t.Helper()
	id := fmt.Sprint("msg_", time.Now().UnixNano())
	c.Exec(`insert into deliveries (public_id, webhook_id, location, event_types, items, created_at, body)
		values (?, ?, ?, ',answer.accepted,', 1, ?, '{}')`, id, w.ID, w.Location, time.Now().UTC())
	c.Exec(`insert into delivery_queue (delivery_id, webhook_id, due_at, round, tries, resend, paced, subject, bytes)
		select id, webhook_id, created_at, 0, 0, false, false, 0, 2 from deliveries where public_id = ?`, id)
}

// FailDeliveries ends all deliveries that wait as failed.
func (c *Console) FailDeliveries() {
	c.t.Helper()
	c.Exec(`insert into delivery_ends (delivery_id, webhook_id, state, at, reason)
		select delivery_id, webhook_id, 'failed', due_at, '' from delivery_queue`)
	c.Exec("delete from delivery_queue")
}

// AddWebhook stores a webhook that differs from the usual one as said.
func (c *Console) AddWebhook(adjust func(*models.WebhookInput)) models.Webhook {
	c.t.Helper()
	in := models.WebhookInput{
		Type: "generic", Name: "Python Accepted Answers", Location: models.MainLocation, TagMode: models.TagsAll,
		Events: []string{"answer.accepted"}, Tags: []string{}, Options: map[string]string{},
		URL: "http://127.0.0.1:9/hook?token=query-secret", URLShown: "http://127.0.0.1:9/hook",
	}
	if adjust != nil {
		adjust(&in)
	}
	w, err := c.Store.Webhooks.Create(c.t.Context(), c.Admin.Actor(), in)
	OK(c.t, err)
	return w
}

// Exec runs a statement, for changes that only the jobs make.
func (c *Console) Exec(query string, args ...any) {
	c.t.Helper()
	db := c.Store.SQLite()
	if db == nil {
		db = stdlib.OpenDBFromPool(c.Store.Postgres())
		defer db.Close()
		for n := range args { // PostgreSQL numbers them
			query = strings.Replace(query, "?", fmt.Sprint("$", n+1), 1)
		}
	}
	_, err := db.ExecContext(c.t.Context(), query, args...)
	OK(c.t, err)
}

// Reload reads a webhook again.
func (c *Console) Reload(w models.Webhook) models.Webhook {
	c.t.Helper()
	w, err := c.Store.Webhooks.Get(c.t.Context(), models.AllLocations(), w.ID)
	OK(c.t, err)
	return w
}
