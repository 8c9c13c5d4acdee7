package torture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// tortureFilter is the filter of a webhook, and its target.
type tortureFilter struct {
	location, community string
	options             []string // in the words of its type
	tags                []string // nil: all
	receiver            int
}

// tortureVersion is a filter from some moment on: not before from, when it was
// first asked for, and surely at sure, when the answer had come.
type tortureVersion struct {
	tortureFilter
	from, sure time.Duration
}

// tortureWebhook is one webhook as the administrator remembers it.
type tortureWebhook struct {
	number   int
	id       int64
	kind     string
	versions []tortureVersion
	paused   bool
	drops    []tortureSpan // of held deliveries; a deletion is one too
	deleted  *tortureSpan
	crowded  bool // it is left as it is
}

// tortureSpan is the time in which something happened: between the question
// and the answer.
type tortureSpan struct{ from, sure time.Duration }

// tortureAdmin changes webhooks and settings through the console's forms.
type tortureAdmin struct {
	run      *tortureRun
	client   *http.Client
	random   *rand.Rand
	webhooks []*tortureWebhook
}

func newTortureAdmin(r *tortureRun) *tortureAdmin {
	jar, err := cookiejar.New(nil)
	ok(r.t, err)
	return &tortureAdmin{run: r, random: r.random(randomAdmin), client: &http.Client{
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

var errNoAnswer = errors.New("no answer that says what happened")

// send asks one instance once.
func (a *tortureAdmin) send(method, path string, form url.Values) (apptest.Answer, error) {
	base, err := a.run.fleet.any()
	if err != nil {
		return apptest.Answer{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), apptest.Patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return apptest.Answer{}, err
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", base)
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return apptest.Answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 500 {
		err = fmt.Errorf("%w: %d", errNoAnswer, resp.StatusCode)
	}
	return apptest.Answer{Code: resp.StatusCode, Header: resp.Header, Body: string(body)}, err
}

// sure repeats a request until there is an answer. The request must be harmless
// when it is made twice.
func (a *tortureAdmin) sure(method, path string, form url.Values) apptest.Answer {
	for deadline := time.Now().Add(2 * apptest.Patience); ; {
		got, err := a.send(method, path, form)
		if err == nil && got.Code != http.StatusUnauthorized && !strings.HasPrefix(got.Header.Get("Location"), "/login") {
			return got
		}
		if err == nil { // nobody is signed in yet
			_, err = a.send(http.MethodPost, "/login", url.Values{"email": {apptest.AdminEmail}, "password": {apptest.AdminPassword}})
		}
		if a.run.isLost() {
			return got
		}
		if time.Now().After(deadline) {
			a.run.fault("other faults", "the console does not answer %s %s: %v", method, path, err)
			return got
		}
		if err != nil {
			apptest.Pause(nil, 100*time.Millisecond)
		}
	}
}

// begin creates the first webhooks, and lets all types send.
func (a *tortureAdmin) begin() {
	a.set("Webhooks.EnableGenericWebhooks", "True")
	a.set("Webhooks.DispatchDelay", "1")
	a.set("Webhooks.DispatchInterval", "1")
	for range a.run.webhooks {
		a.create()
	}
}

func (a *tortureAdmin) set(name, value string) {
	a.sure(http.MethodPost, "/developer/site-settings/edit?name="+name, url.Values{"value": {value}, "reason": {"for the run"}})
}

func (a *tortureAdmin) actors() []func(stop <-chan struct{}) {
	return []func(stop <-chan struct{}){a.work}
}

// work is one deed after the other. A webhook that was paused or broke is
// resumed before long, as an administrator would.
func (a *tortureAdmin) work(stop <-chan struct{}) {
	for apptest.Pause(stop, about(a.random, a.run.act)) {
		living := slices.DeleteFunc(a.living(), func(w *tortureWebhook) bool { return w.crowded })
		w := living[a.random.IntN(len(living))]
		switch a.random.IntN(12) {
		case 0, 1, 2:
			f := a.filter(w.kind)
			if a.random.IntN(8) > 0 { // a move drops waiting deliveries
				f.location = w.versions[len(w.versions)-1].location
			}
			a.edit(w, f)
		case 3:
			f := w.versions[len(w.versions)-1].tortureFilter
			f.receiver = a.random.IntN(ordinaryReceivers)
			a.edit(w, f)
		case 4, 5:
			a.pause(w)
		case 6, 7, 8:
			a.resumeAll(a.random.IntN(10) == 0)
		case 9:
			a.delete(w)
			a.create()
		case 10:
			a.run.count("settings changed", 1)
			a.set([]string{"Webhooks.DispatchDelay", "Webhooks.DispatchInterval"}[a.random.IntN(2)], strconv.Itoa(a.random.IntN(3)))
		case 11:
			a.run.count("settings changed", 2)
			a.set("Webhooks.EnableGenericWebhooks", "False")
			apptest.Pause(stop, about(a.random, a.run.act))
			a.set("Webhooks.EnableGenericWebhooks", "True")
		}
	}
}

func (a *tortureAdmin) living() []*tortureWebhook {
	return slices.DeleteFunc(slices.Clone(a.webhooks), func(w *tortureWebhook) bool { return w.deleted != nil })
}

// tortureOptions are the activities of each type, in its own words.
var tortureOptions = map[string][]string{
	"generic":     apptest.TypeEvents["generic"],
	"slack":       {"question.created", "answer.accepted"},
	"stackauth":   {"question.created", "answer.edited", "answer.accepted", "user.created", "user.updated", "user.deleted", "team.created", "team.updated", "team_membership.created"},
	"userecho":    {"topic.created", "topic.accepted", "comment.created", "comment.accepted", "comment.deleted"},
	"superoffice": {"question.changed", "answer.changed", "contact.created", "contact.changed", "sale.sold", "ticket.deleted", "lead.scored"},
}

// filter is a random filter of a webhook. Types that tell each event by itself,
// or slowly, want less.
func (a *tortureAdmin) filter(kind string) tortureFilter {
	f := tortureFilter{
		location: torturePlaces[a.random.IntN(len(torturePlaces))],
		receiver: a.random.IntN(ordinaryReceivers),
	}
	options := tortureOptions[kind]
	for len(f.options) == 0 {
		for _, option := range options {
			if a.random.IntN(2) == 0 {
				f.options = append(f.options, option)
			}
		}
	}
	if kind == "slack" || a.random.IntN(3) == 0 {
		for _, i := range a.random.Perm(len(tortureTags))[:1+a.random.IntN(2)] {
			f.tags = append(f.tags, tortureTags[i])
		}
	}
	if kind == "slack" || a.random.IntN(3) == 0 {
		f.community = tortureCommunities[2+a.random.IntN(2)]
	}
	return f
}

func (a *tortureAdmin) form(w *tortureWebhook, f tortureFilter) url.Values {
	form := url.Values{
		"name": {w.name()}, "location": {f.location}, "events": f.options, "tag_mode": {"all"}, "community": {f.community},
		"url": {a.run.targets.list[f.receiver].url(w.number, w.kind)}, "do": {"save"}, "moving": {f.location},
	}
	if f.tags != nil {
		form.Set("tag_mode", "specific")
		form.Set("tags", strings.Join(f.tags, ", "))
	}
	if w.kind == "superoffice" { // some of these are none of its list
		form["events"] = slices.DeleteFunc(slices.Clone(f.options), func(o string) bool { return o == "lead.scored" })
		if len(form["events"]) < len(f.options) {
			form.Set("custom", "lead.scored")
		}
	}
	if secret := apptest.TypeSecrets[w.kind]; secret != "" {
		form.Set("secret_1", secret)
	}
	return form
}

func (w *tortureWebhook) name() string { return fmt.Sprintf("torture-%04d-", w.number) }

// create makes a webhook. While its receiver does not answer or the feature is
// off that may be refused; without an answer the list shows the outcome.
func (a *tortureAdmin) create() {
	w := &tortureWebhook{number: len(a.webhooks) + 1, kind: apptest.TypeNames[len(a.webhooks)%len(apptest.TypeNames)]}
	a.add(w, a.filter(w.kind))
}

// gather makes the webhooks of the crowd, which all get the same events.
func (a *tortureAdmin) gather() {
	for range a.run.crowded {
		w := &tortureWebhook{number: len(a.webhooks) + 1, kind: "generic", crowded: true}
		a.add(w, tortureFilter{location: crowdPlace, options: []string{"question.created"}, receiver: ordinaryReceivers})
	}
}

func (a *tortureAdmin) add(w *tortureWebhook, f tortureFilter) {
	version := tortureVersion{tortureFilter: f, from: a.run.now()}
	a.run.until("webhook created", func() bool {
		got, err := a.send(http.MethodPost, "/admin/webhooks/new?type="+w.kind, a.form(w, f))
		if err == nil && got.Code == http.StatusUnprocessableEntity && !strings.Contains(got.Body, "did not accept the test") {
			a.run.fault("other faults", "webhook not created: %s", firstFault(got.Body))
		}
		w.id = a.find(w)
		return w.id != 0
	})
	version.sure = a.run.now()
	w.versions = []tortureVersion{version}
	a.webhooks = append(a.webhooks, w)
	a.run.count("webhooks created", 1)
}

func firstFault(page string) string {
	_, rest, _ := strings.Cut(page, `-err">`)
	text, _, _ := strings.Cut(rest, "</")
	return text
}

var webhookLink = regexp.MustCompile(`/admin/webhooks/(\d+)/edit`)

// find asks the list for a webhook's id; 0: it is not there.
func (a *tortureAdmin) find(w *tortureWebhook) int64 {
	page := a.sure(http.MethodGet, "/admin/webhooks?q="+w.name(), nil)
	found := webhookLink.FindStringSubmatch(page.Body)
	if found == nil {
		return 0
	}
	id, _ := strconv.ParseInt(found[1], 10, 64)
	return id
}

var updatedAt = regexp.MustCompile(`name="updated_at" value="([^"]+)"`)

// edit saves a new filter, again until it is known to be saved.
func (a *tortureAdmin) edit(w *tortureWebhook, f tortureFilter) {
	path := fmt.Sprintf("/admin/webhooks/%d/edit", w.id)
	version := tortureVersion{tortureFilter: f, from: a.run.now()}
	was := w.versions[len(w.versions)-1]
	if f.location != was.location { // waiting deliveries are dropped then
		w.drops = append(w.drops, tortureSpan{from: version.from})
	}
	w.versions = append(w.versions, version)
	a.run.until("webhook saved", func() bool {
		page := a.sure(http.MethodGet, path, nil)
		form := a.form(w, f)
		if opened := updatedAt.FindStringSubmatch(page.Body); opened != nil {
			form.Set("updated_at", opened[1])
		}
		got, err := a.send(http.MethodPost, path, form)
		return err == nil && got.Code == http.StatusSeeOther && !strings.HasPrefix(got.Header.Get("Location"), "/login")
	})
	now := a.run.now()
	w.versions[len(w.versions)-1].sure = now
	if f.location != was.location {
		w.drops[len(w.drops)-1].sure = now
	}
	a.run.count("webhooks edited", 1)
}

func (a *tortureAdmin) pause(w *tortureWebhook) {
	a.sure(http.MethodPost, fmt.Sprintf("/admin/webhooks/%d/pause", w.id), nil)
	w.paused = true
	a.run.count("webhooks paused", 1)
}

// resumeAll resumes paused and broken webhooks; active ones are left unchanged.
func (a *tortureAdmin) resumeAll(drop bool) {
	for _, w := range a.living() {
		a.resume(w, drop && w.paused)
	}
}

func (a *tortureAdmin) resume(w *tortureWebhook, drop bool) {
	held, span := "send", tortureSpan{from: a.run.now()}
	if drop {
		held = "drop"
	}
	got := a.sure(http.MethodPost, fmt.Sprintf("/admin/webhooks/%d/resume", w.id), url.Values{"held": {held}})
	if got.Code != http.StatusSeeOther {
		a.run.fault("other faults", "webhook %d not resumed: %d", w.number, got.Code)
	}
	if drop {
		span.sure = a.run.now()
		w.drops = append(w.drops, span)
	}
	if w.paused {
		a.run.count("webhooks resumed", 1)
	}
	w.paused = false
}

func (a *tortureAdmin) delete(w *tortureWebhook) {
	span := tortureSpan{from: a.run.now()}
	got := a.sure(http.MethodPost, fmt.Sprintf("/admin/webhooks/%d/delete", w.id), nil)
	if got.Code != http.StatusSeeOther && got.Code != http.StatusNotFound { // which it is at the second time
		a.run.fault("other faults", "webhook %d not deleted: %d", w.number, got.Code)
	}
	span.sure = a.run.now()
	w.deleted, w.drops = &span, append(w.drops, span)
	a.run.count("webhooks deleted", 1)
}
