package management_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// site reports and dispatches events over the desk's store.
func (d *desk) site(t *testing.T) *webtest.HistorySite {
	t.Helper()
	s := &webtest.HistorySite{T: t, Store: d.Store, Server: d.Server}
	s.Set(models.DispatchInterval, "0")
	s.Set(models.DispatchDelay, "0")
	return s
}

// rows are the objects of a list.
func (a got) rows() (list []map[string]any) {
	rows, _ := a.value["data"].([]any)
	for _, row := range rows {
		one, _ := row.(map[string]any)
		list = append(list, one)
	}
	return list
}

// eachHistory runs a test on both databases with one event that matched one of
// two webhooks and whose delivery failed.
func eachHistory(t *testing.T, test func(t *testing.T, d *desk, hook models.Webhook, delivery string)) {
	t.Helper()
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			d := newDeskOn(t, kind)
			s := d.site(t)
			hook := s.Hook("Questions", func(in *models.WebhookInput) { in.Key = "questions" })
			s.Hook("Answers", func(in *models.WebhookInput) { in.Events = []string{"answer.created"} })
			s.Event("q-1", "A question", nil)
			s.Dispatch(1)
			row := s.Attempt(hook.ID, models.DeliveryFailed, models.Attempt{Code: 500, ResponseBody: []byte("the answer")}, 0, "It gave up.")
			test(t, d, hook, row.PublicID)
		})
	}
}

// TestADeliveryAsProgramsSeeIt: with every attempt, and without bodies for a
// viewer.
func TestADeliveryAsProgramsSeeIt(t *testing.T) {
	eachHistory(t, func(t *testing.T, d *desk, hook models.Webhook, delivery string) {
		list := d.do("GET", "/deliveries?webhook=questions&state=failed&code=5xx&type=question.created&location=main", nil).want(http.StatusOK).rows()
		if len(list) != 1 {
			t.Fatalf("listed are %v", list)
		}
		one := d.do("GET", "/deliveries/"+delivery, nil).want(http.StatusOK)
		for key, value := range list[0] {
			same(t, key, one.value[key], value)
		}
		for key, want := range map[string]any{
			"id": delivery, "webhook_id": hook.ID, "webhook_key": "questions", "webhook_name": "Questions", "location": "main", "state": "failed",
			"held": false, "reason": "It gave up.", "event_types": []string{"question.created"}, "event_count": 1, "tries": 1, "last_code": 500, "last_error": "", "due_at": nil,
		} {
			same(t, key, list[0][key], want)
		}
		attempts, _ := one.value["attempts"].([]any)
		first, _ := attempts[0].(map[string]any)
		events, _ := one.value["events"].([]any)
		event, _ := events[0].(map[string]any)
		if len(attempts) != 1 || first["code"] != 500.0 || first["response_body"] != "the answer" || first["delivered"] != false || event["id"] != "q-1" || one.value["body"] == nil {
			t.Errorf("the delivery is %s", one.Body)
		}
		d.token = d.newToken(models.ScopeRead, "")
		if seen := d.do("GET", "/deliveries/"+delivery, nil).want(http.StatusOK); seen.value["body"] != nil || strings.Contains(seen.Body, "the answer") {
			t.Errorf("a viewer sees %s", seen.Body)
		}
		for _, none := range []string{"webhook=other", "state=delivered", "code=2xx", "type=answer.created", "location=python-wranglers", "from=2100-01-01T00:00:00Z", "to=2000-01-01T00:00:00Z"} {
			if rows := d.do("GET", "/deliveries?"+none, nil).want(http.StatusOK).rows(); len(rows) > 0 {
				t.Errorf("%s lists %v", none, rows)
			}
		}
		for query, field := range map[string]string{"state=odd": "state", "code=6xx": "code", "error=odd": "error", "type=A": "type", "from=yesterday": "from", "cursor=-1": "cursor"} {
			d.do("GET", "/deliveries?"+query, nil).says(http.StatusBadRequest, field, "")
		}
		d.do("GET", "/deliveries/msg_nothing", nil).says(http.StatusNotFound, "", "There is no such delivery.")
	})
}

// TestResending: one, or all that match; never to a webhook that cannot send.
func TestResending(t *testing.T) {
	eachHistory(t, func(t *testing.T, d *desk, hook models.Webhook, delivery string) {
		one := "/deliveries/" + delivery + "/resend"
		d.do("POST", "/webhooks/questions/pause", nil).want(http.StatusOK)
		d.do("POST", one, nil).says(http.StatusConflict, "", "This cannot be resent because the webhook has been paused")
		same(t, "what is paused", d.do("POST", "/deliveries/resend?dry_run=true", `{"state":"failed"}`).value, map[string]any{"resent": 0, "waiting": 0, "blocked": 1, "next": nil})
		d.do("POST", "/webhooks/questions/resume", nil).want(http.StatusOK)
		for _, dry := range []string{"?dry_run=true", "?dry_run=true", ""} {
			same(t, "resent"+dry, d.do("POST", "/deliveries/resend"+dry, map[string]any{"webhook": hook.ID, "state": "failed"}).value, map[string]any{"resent": 1, "waiting": 0, "blocked": 0, "next": nil})
		}
		same(t, "twice", d.do("POST", "/deliveries/resend", `{"webhook":"questions"}`).want(http.StatusAccepted).value, map[string]any{"resent": 0, "waiting": 1, "blocked": 0, "next": nil})
		if a := d.do("POST", one, nil).want(http.StatusAccepted); a.value["due_at"] == nil {
			t.Errorf("resent is %s", a.Body)
		}
		d.do("POST", "/deliveries/resend", `{}`).says(http.StatusUnprocessableEntity, "", "Give at least one filter")
		for _, body := range []string{`{"state":"failed","webhook":null}`, `{"state":"failed","webhook":""}`} { // which would be all
			d.do("POST", "/deliveries/resend", body).says(http.StatusBadRequest, "webhook", "It must not be empty or null.")
		}
		d.do("POST", "/deliveries/resend?dry_run=", `{"state":"failed"}`).says(http.StatusBadRequest, "dry_run", "It must not be empty")
		d.do("POST", "/webhooks?dry_run=true", d.usual(nil)).says(http.StatusBadRequest, "dry_run", "There is no parameter")
		d.do("POST", "/deliveries/resend", `{"stat":"failed"}`).says(http.StatusBadRequest, "stat", "There is no field")
		d.do("POST", "/deliveries/resend", `{"state":"odd"}`).says(http.StatusUnprocessableEntity, "state", "Use one of")
	})
}

// TestWhatCannotBeResent: each refusal says why, and nothing becomes due.
func TestWhatCannotBeResent(t *testing.T) {
	eachHistory(t, func(t *testing.T, d *desk, hook models.Webhook, delivery string) {
		one := "/deliveries/" + delivery + "/resend"
		refused := func(says string) {
			t.Helper()
			before := d.Stored()
			d.do("POST", one, nil).says(http.StatusConflict, "", says)
			if changed := webtest.Difference(before, d.Stored()); changed != "" {
				t.Errorf("stored %s", changed)
			}
		}
		for _, query := range []string{"webhook=none", "webhook=987654"} {
			same(t, query, d.do("GET", "/deliveries?"+query, nil).want(http.StatusOK).value, map[string]any{"data": []any{}, "next": nil})
		}
		same(t, "of no webhook", d.do("POST", "/deliveries/resend", `{"webhook":"none"}`).want(http.StatusAccepted).value, map[string]any{"resent": 0, "waiting": 0, "blocked": 0, "next": nil})
		d.do("POST", "/deliveries/resend", `{"webhook":"questions","cursor":"first"}`).says(http.StatusBadRequest, "cursor", "This is not the next of a page of this list.")
		d.Exec("update webhooks set location = 'python-wranglers' where id = ?", hook.ID)
		refused("The webhook has since moved to another location, and deliveries never cross locations.")
		d.Exec("update webhooks set location = 'main' where id = ?", hook.ID)
		e, err := d.Store.Events.Get(t.Context(), "main", "q-1")
		webtest.OK(t, err)
		_, err = d.Store.Events.Erase(t.Context(), d.Admin.Actor(), e.ID)
		webtest.OK(t, err)
		refused("The content of this delivery was erased, so there is nothing to send.")
		d.do("DELETE", "/webhooks/questions", nil).want(http.StatusNoContent)
		refused("This cannot be resent because the webhook")
	})
}

// TestAnEventIsExplained: for every webhook of its location, in the words of the
// console.
func TestAnEventIsExplained(t *testing.T) {
	eachHistory(t, func(t *testing.T, d *desk, hook models.Webhook, delivery string) {
		found := d.do("GET", "/events?id=q-1&location=main", nil).want(http.StatusOK).rows()
		if again := d.do("GET", "/events?id=q-1", nil).rows(); len(found) != 1 || len(again) != 1 {
			t.Fatalf("found %v and %v", found, again)
		}
		e := d.do("GET", fmt.Sprint("/events/", found[0]["number"]), nil).want(http.StatusOK)
		for key, value := range found[0] {
			same(t, key, e.value[key], value)
		}
		hooks, _ := e.value["webhooks"].([]any)
		if len(hooks) != 2 || e.value["payload"] == nil || e.value["logged"] != true {
			t.Fatalf("the event is %s", e.Body)
		}
		same(t, "the one that matched", hooks[0], map[string]any{
			"webhook_id": hook.ID, "webhook_key": "questions", "webhook_name": "Questions", "matched": true, "reason": "Questions chosen; accepts all tags",
			"delivery": delivery, "state": "failed",
		})
		if other, _ := hooks[1].(map[string]any); other["matched"] != false || other["delivery"] != nil || !strings.HasPrefix(other["reason"].(string), "Activity not chosen.") {
			t.Errorf("the other is %v", other)
		}
		d.token = d.newToken(models.ScopeRead, "")
		if seen := d.do("GET", fmt.Sprint("/events/", found[0]["number"]), nil); seen.value["payload"] != nil {
			t.Errorf("a viewer sees %s", seen.Body)
		}
		for _, none := range []string{"id=other", "id=q-1&location=python-wranglers", "type=answer.created", "q=nothing", "tag=go"} {
			if rows := d.do("GET", "/events?"+none, nil).want(http.StatusOK).rows(); len(rows) > 0 {
				t.Errorf("%s lists %v", none, rows)
			}
		}
		for _, gone := range []string{"0", "99999", "q-1"} {
			d.do("GET", "/events/"+gone, nil).says(http.StatusNotFound, "", "There is no such event.")
		}
	})
}

// TestDeliveriesArePagedToTheEnd: each once, and each page costs the same
// statements.
func TestDeliveriesArePagedToTheEnd(t *testing.T) {
	each(t, func(d *desk) {
		w := d.AddWebhook(nil)
		for range 25 {
			d.AddDelivery(w)
		}
		d.do("GET", "/deliveries?limit=10", nil).want(http.StatusOK) // the first use of a token is noted
		seen, next := map[any]bool{}, ""
		var a got
		var costs []int // of each page, in statements
		for pages := 1; ; pages++ {
			queries := d.Queries(func() { a = d.do("GET", "/deliveries?limit=10"+next, nil).want(http.StatusOK) })
			if costs = append(costs, len(queries)); len(queries) == 0 || len(queries) != costs[0] {
				d.t.Errorf("the pages cost %v statements, the last of them:\n%s", costs, strings.Join(queries, "\n"))
			}
			for _, row := range a.rows() {
				if seen[row["id"]] {
					d.t.Fatalf("%v is there twice", row["id"])
				}
				seen[row["id"]] = true
			}
			cursor, more := a.value["next"].(string)
			if !more {
				if len(seen) != 25 || pages != 3 {
					d.t.Errorf("%d deliveries on %d pages", len(seen), pages)
				}
				return
			}
			next = "&cursor=" + cursor
		}
	})
}
