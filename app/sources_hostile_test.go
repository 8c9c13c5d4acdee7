package app_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
)

const customSecret = "a secret of the sender"

// addCustom adds a source whose program turns its bodies into events.
func addCustom(t *testing.T, b *apptest.Browser, name, program string) {
	t.Helper()
	addSource(t, b, "custom", url.Values{
		"name": {name}, "location": {"main"}, "secret_1": {customSecret}, "program": {program},
		"option_signature": {"sha256-hex"}, "option_header": {"X-Signature"},
	})
}

// receive posts a signed body to a source as its sender does.
func receive(t *testing.T, in *apptest.Instance, source, secret, body string) apptest.Answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, in.Base+"/in/"+source, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Signature", hex.EncodeToString(mac.Sum(nil)))
	a, err := apptest.Do(t, http.DefaultClient, req)
	if err != nil {
		t.Errorf("%s: %v", source, err)
	}
	return a
}

const passOn = `{type: "lead.scored", id, data: {n: .n}}`

// TestHostilePrograms: a program that fails, never ends, or wants all memory
// gets a clear answer and a line on the source's page, stores nothing, and costs
// the instance no memory of its own; other sources go on.
func TestHostilePrograms(t *testing.T) {
	in := apptest.Serve(t, apptest.Environment(t, "sqlite"))
	b := in.Login()
	addCustom(t, b, "good", passOn)
	const late, large = "The program ran longer than 500 ms", "The program used more than 128 MiB of memory"
	hostile := []struct {
		program string
		says    []string // one of them
	}{
		{`error("no lead in it")`, []string{"The program failed: error: no lead in it."}},
		{`.n.m`, []string{"The program failed: expected an object but got: number (7)."}},
		{`def f: f; f`, []string{late}},
		{`range(10000) | {type: "lead.scored"}`, []string{"The program yields more than 1000 events."}},
		{`7`, []string{"utput 1 of the program: must be an object, not a number"}},
		{`{type: "lead"}`, []string{"event 1: type must have two parts"}},
		{`[]|.[536870911]=1`, []string{large}},
		{`"x"*1e9`, []string{large, late}},
		{`"x"*1e8|[.,.,.,.,.,.,.,.]|add`, []string{large, late}},
	}
	for i, h := range hostile {
		addCustom(t, b, fmt.Sprint("hostile-", i), h.program)
	}
	passed := 0
	pass := func() {
		t.Helper()
		passed++
		a := receive(t, in, "good", customSecret, fmt.Sprintf(`{"id":"g%d","n":%d}`, passed, passed))
		if a.Code != http.StatusAccepted || !strings.Contains(a.Body, `"accepted":1`) {
			t.Errorf("another source: %d %s", a.Code, a.Body)
		}
	}
	for range 50 { // until the instance has the memory that it needs for this
		pass()
		b.Get("/admin/sources/good")
	}
	before := in.Mebibytes(t, "VmHWM")
	for i, h := range hostile {
		name := fmt.Sprint("hostile-", i)
		var other sync.WaitGroup
		other.Go(pass) // while the program runs
		a := receive(t, in, name, customSecret, `{"n":7}`)
		other.Wait()
		page := b.Get("/admin/sources/" + name).Body
		if a.Code != http.StatusUnprocessableEntity || !containsOne(detailOf(a.Body), h.says) || !containsOne(page, h.says) {
			t.Errorf("%s: %d %s", h.program, a.Code, a.Body)
		}
	}
	metrics, err := apptest.Get(t, http.DefaultClient, in.Base+"/metrics")
	if err != nil {
		t.Fatal(err)
	}
	if n := apptest.Metric(t, metrics.Body, `sitehooks_events_total{type="custom"}`); int(n) != passed {
		t.Errorf("%.0f events were stored; the other source sent %d", n, passed)
	}
	after := in.Mebibytes(t, "VmHWM")
	t.Logf("at most %.1f MiB before, %.1f after", before, after)
	if after > before+16 {
		t.Errorf("the instance's memory grew from %.1f to %.1f MiB", before, after)
	}
	checkForm(t, b)
}

// checkForm saves programs that cannot be compiled: each is a fault of the field.
func checkForm(t *testing.T, b *apptest.Browser) {
	t.Helper()
	for program, says := range map[string]string{
		`{type: `:            "The program cannot be compiled: unexpected",
		`import "a" as a; .`: "The program cannot be compiled: cannot load module",
		`nosuch`:             "The program cannot be compiled: function not defined: nosuch/0",
		``:                   "program",
	} {
		a := b.Post("/admin/sources/new?kind=custom", url.Values{"name": {"faulty"}, "location": {"main"}, "program": {program}, "do": {"save"}})
		if a.Code != http.StatusUnprocessableEntity || !strings.Contains(a.Body, says) {
			t.Errorf("%q: %d", program, a.Code)
		}
	}
	if a := b.Get("/admin/sources/faulty"); a.Code != http.StatusNotFound {
		t.Errorf("a source with a faulty program: %d", a.Code)
	}
}

// detailOf is the sentence of a refusal.
func detailOf(problem string) string {
	var p struct{ Detail string }
	if err := json.Unmarshal([]byte(problem), &p); err != nil {
		return err.Error()
	}
	return p.Detail
}

func containsOne(text string, wants []string) bool {
	for _, want := range wants {
		if strings.Contains(strings.ReplaceAll(text, "&#34;", `"`), want) {
			return true
		}
	}
	return false
}

// TestACrowdOfSenders: a thousand requests at once, most of them to one source
// with a program and some to one that is deleted meanwhile. Each is answered,
// and the events of those that were accepted are there, each once.
func TestACrowdOfSenders(t *testing.T) {
	in := apptest.Serve(t, apptest.Environment(t, "sqlite"))
	b := in.Login()
	b.Quick()
	hook := apptest.NewReceiver(t)
	form := apptest.WebhookForm(hook.URL)
	b.CreateWebhook(form)
	const question = `{type: "question.created", id, question: {question_id: .n, title: "Title \(.n)", link: "https://s.example/q/\(.n)"}}`
	addCustom(t, b, "stays", question)
	addCustom(t, b, "goes", question)
	var all sync.WaitGroup
	var mu sync.Mutex
	accepted := map[int64]bool{}
	half := make(chan struct{}) // closed when some of them are answered
	answered := 0
	for i := range int64(1000) {
		source := "stays"
		if i%5 == 0 {
			source = "goes"
		}
		all.Go(func() {
			for {
				a := receive(t, in, source, customSecret, fmt.Sprintf(`{"id":"q%d","n":%d}`, i, i+1))
				if a.Code == http.StatusServiceUnavailable {
					continue // and sends again, as it is asked
				}
				mu.Lock()
				defer mu.Unlock()
				if accepted[i+1] = a.Code == http.StatusAccepted; !accepted[i+1] && (source == "stays" || a.Code != http.StatusNotFound) {
					t.Errorf("%s: %d %s", source, a.Code, a.Body)
				}
				if answered++; answered == 300 {
					close(half)
				}
				return
			}
		})
	}
	<-half
	if a := b.Post("/admin/sources/goes/delete", url.Values{}); a.Code != http.StatusSeeOther {
		t.Errorf("delete: %d %s", a.Code, a.Body)
	}
	all.Wait()
	arrived := map[int64]int{}
	want := 0
	for _, is := range accepted {
		if is {
			want++
		}
	}
	apptest.Eventually(t, "all accepted events at the receiver", func() bool {
		clear(arrived)
		for _, item := range hook.Items(t) {
			arrived[item.QuestionID]++
		}
		return len(arrived) >= want
	})
	for n, times := range arrived {
		if times != 1 || !accepted[n] {
			t.Errorf("question %d arrived %d times; accepted: %v", n, times, accepted[n])
		}
	}
	if len(arrived) != want || want < 800 {
		t.Errorf("%d accepted, %d arrived", want, len(arrived))
	}
}
