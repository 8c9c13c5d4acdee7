package handlers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/sitehooks/sitehooks/models"
)

func (c *console) filled(to string, pairs ...string) url.Values {
	form := c.get(newForm).want(http.StatusOK).form()
	fill(form, "name", "Python Accepted Answers", "events", "answer.accepted", "url", to)
	return fill(form, pairs...)
}

func (c *console) only() models.Webhook {
	c.t.Helper()
	all, _, err := c.store.Webhooks.All(c.t.Context())
	ok(c.t, err)
	if len(all) != 1 {
		c.t.Fatalf("there are %d webhooks", len(all))
	}
	return all[0]
}

func (c *console) opened(w models.Webhook) models.Opened {
	c.t.Helper()
	o, err := c.store.Webhooks.Open(w)
	ok(c.t, err)
	return o
}

func editPath(w models.Webhook) string { return webhookPath(w.ID) + "/edit" }

// fill sets fields; an empty value empties the field.
func fill(form url.Values, pairs ...string) url.Values {
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

const newForm = "/admin/webhooks/new?type=generic"

// part asks as our scripts do.
func (c *console) part(name, path string, form url.Values) *answer {
	c.t.Helper()
	req := c.request(http.MethodGet, path, nil)
	if form != nil {
		req = c.request(http.MethodPost, path, strings.NewReader(form.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set(partHeader, name)
	return c.do(req)
}

// addEvent records an event about a question of that number.
func (c *console) addEvent(n int, kind, community string, tags ...string) {
	c.t.Helper()
	payload, err := json.Marshal(map[string]any{
		"question": map[string]any{"question_id": n, "title": fmt.Sprintf("Question %d <b>", n), "link": "https://example.com/questions/" + strconv.Itoa(n), "tags": tags},
		"answer":   map[string]any{"answer_id": 1000 + n, "body": "Use join."},
		"type":     kind, "location": "python-wranglers", "community": community,
	})
	ok(c.t, err)
	_, _, err = c.store.Events.Record(c.t.Context(), []models.NewEvent{{
		EventID: fmt.Sprint("event-", n, kind), Type: kind, Location: "python-wranglers", Community: community, Tags: tags,
		OccurredAt: time.Now().Add(time.Duration(n) * time.Second), MergeKey: kind + strconv.Itoa(n), Subject: strconv.Itoa(n),
		Title: fmt.Sprintf("Question %d <b>", n), Payload: payload,
	}})
	ok(c.t, err)
}

// reveals checks that an answer has one of the secrets, or none of them.
func (a *answer) reveals(secret string) *answer {
	a.t.Helper()
	for _, one := range []string{firstSecret, secondSecret} {
		if strings.Contains(a.Body, one) != (one == secret) {
			a.t.Errorf("%q is on the page: %v", one, one != secret)
		}
	}
	if secret != "" && a.text("#revealed") != secret {
		a.t.Errorf("#revealed says %q", a.text("#revealed"))
	}
	if got := a.Header.Get("Cache-Control"); got != "no-store" {
		a.t.Errorf("Cache-Control is %q", got)
	}
	return a
}

func (c *console) addSecretWebhook() models.Webhook {
	c.t.Helper()
	return c.addWebhook(func(in *models.WebhookInput) { in.Secrets[0].Set, in.Secrets[1].Set = firstSecret, secondSecret })
}

const (
	firstSecret  = "the first secret of this webhook"
	secondSecret = "the second secret of this webhook"
)

// addDelivery makes a delivery that waits.
func (c *console) addDelivery(w models.Webhook) {
	c.t.Helper()
	c.exec(`insert into deliveries (public_id, webhook_id, location, event_types, items, state, due_at, resend, tries, round,
		created_at, last_code, last_error, last_ms, reason, body)
		values (?, ?, ?, ',answer.accepted,', 1, 'pending', ?, false, 0, 0, ?, 0, '', 0, '', '{}')`,
		fmt.Sprint("msg_", time.Now().UnixNano()), w.ID, w.Location, time.Now().UTC(), time.Now().UTC())
}

// addWebhook stores a webhook that differs from the usual one as said.
func (c *console) addWebhook(adjust func(*models.WebhookInput)) models.Webhook {
	c.t.Helper()
	in := models.WebhookInput{
		Type: "generic", Name: "Python Accepted Answers", Location: models.MainLocation, TagMode: models.TagsAll,
		Events: []string{"answer.accepted"}, Tags: []string{}, Options: map[string]string{},
		URL: "http://127.0.0.1:9/hook?token=query-secret", URLShown: "http://127.0.0.1:9/hook",
	}
	if adjust != nil {
		adjust(&in)
	}
	w, err := c.store.Webhooks.Create(c.t.Context(), c.admin.Actor(), in)
	ok(c.t, err)
	return w
}

// exec changes what only the jobs change.
func (c *console) exec(query string, args ...any) {
	c.t.Helper()
	db := c.store.SQLite()
	if db == nil {
		db = stdlib.OpenDBFromPool(c.store.Postgres())
		defer db.Close()
		for n := range args { // PostgreSQL numbers them
			query = strings.Replace(query, "?", fmt.Sprint("$", n+1), 1)
		}
	}
	_, err := db.ExecContext(c.t.Context(), query, args...)
	ok(c.t, err)
}
