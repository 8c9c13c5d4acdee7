package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// realEvery is how often the follower of these runs looks.
const realEvery = 2 * time.Second

// TestRealAnswer follows a real Apache Answer on each of its databases: what is
// done through its API arrives at a receiver, signed and once, whatever is
// killed in between. It is skipped in CI too: Answer has to be built by hand.
// What these runs recorded is played by TestFollowerIsKilled, and in app/follow.
func TestRealAnswer(t *testing.T) {
	if os.Getenv(answerProgram) == "" {
		t.Skip(answerProgram + " is not set; docs/sources/answer.md tells how to build it")
	}
	for _, kind := range []string{"sqlite", "postgres", "mariadb"} {
		t.Run(kind, func(t *testing.T) { newRealRun(t, kind).run() })
	}
}

// realRun is one run with all that takes part in it.
type realRun struct {
	*answerSite
	in       *apptest.Instance
	env      []string // of the instance
	addr     string
	hook     *apptest.Receiver
	follower *exec.Cmd
	log      *apptest.LogBuffer
	want     []string // what arrived so far, once each
	slowest  time.Duration
	record   *answerRecording
}

const realSecret = "0123456789abcdef0123456789abcdef"

func newRealRun(t *testing.T, kind string) *realRun {
	t.Helper()
	r := &realRun{answerSite: newAnswerSite(t, kind), hook: apptest.NewReceiver(t), addr: apptest.FreePort(t), log: &apptest.LogBuffer{}}
	r.env = apptest.Environment(t, "sqlite")
	r.in = apptest.Serve(t, r.env, "SITEHOOKS_ADDR="+r.addr)
	b := r.in.Login()
	b.Quick()
	form := apptest.WebhookForm(r.hook.URL)
	form.Set("secret_1", realSecret)
	b.CreateWebhook(form)
	r.record = newAnswerRecording(r.answerSite)
	r.follow()
	return r
}

// follow starts the follower and waits until it works.
func (r *realRun) follow() {
	r.t.Helper()
	begun := strings.Count(r.log.String(), "msg=following")
	zone := "UTC"
	if r.kind != "sqlite" {
		zone = answerZone
	}
	r.follower = exec.Command(apptest.Binary, "follow", "answer", "--name", "community", "--database", r.dsn, "--url", r.in.Base, "--token", apptest.IngestToken,
		"--every", realEvery.String(), "--timezone", zone, "--compare", "5s")
	r.follower.Stderr = r.log
	ok(r.t, r.follower.Start())
	r.t.Cleanup(r.killFollower)
	apptest.Eventually(r.t, "the follower begins", func() bool { return strings.Count(r.log.String(), "msg=following") > begun })
}

func (r *realRun) killFollower() {
	_ = r.follower.Process.Kill()
	_ = r.follower.Wait()
}

// asleep does things while the follower sleeps, as if between two of its looks.
func (r *realRun) asleep(do func()) {
	r.t.Helper()
	ok(r.t, r.follower.Process.Signal(apptest.Freeze))
	do()
	ok(r.t, r.follower.Process.Signal(apptest.Thaw))
}

// receivedItems are what arrived, verified, each with the event's type and the
// ids of its posts; what arrived twice is there twice.
func receivedItems(t *testing.T, hook *apptest.Receiver) (all []string) {
	t.Helper()
	v, err := standardwebhooks.NewWebhookRaw([]byte(realSecret))
	ok(t, err)
	seen := map[string]bool{}
	for _, d := range hook.Got() {
		ok(t, v.Verify(d.Body, d.Header))
		if seen[d.ID] {
			continue // repeated with its id, which receivers know
		}
		seen[d.ID] = true
		var body struct {
			Questions, Answers, Comments []struct {
				Type       string
				QuestionID int64 `json:"question_id"`
				AnswerID   int64 `json:"answer_id"`
				CommentID  int64 `json:"comment_id"`
			}
		}
		ok(t, json.Unmarshal(d.Body, &body))
		for _, i := range slices.Concat(body.Questions, body.Answers, body.Comments) {
			all = append(all, fmt.Sprintf("%s %d %d %d", i.Type, i.QuestionID, i.AnswerID, i.CommentID))
		}
	}
	slices.Sort(all)
	return all
}

// short is an id as events have it.
func short(id string) string {
	n, _ := strconv.ParseInt(id, 10, 64)
	return strconv.FormatInt(n%1e13, 10)
}

// arrives waits for one more item, notes how long it took, and that nothing
// else arrived.
func (r *realRun) arrives(step string, items ...string) {
	r.t.Helper()
	since := time.Now()
	r.want = slices.Sorted(slices.Values(append(r.want, items...)))
	apptest.Eventually(r.t, step, func() bool { return len(receivedItems(r.t, r.hook)) >= len(r.want) })
	took := time.Since(since)
	if got := receivedItems(r.t, r.hook); !slices.Equal(got, r.want) {
		r.t.Fatalf("%s: arrived\n %s, want\n %s\n%s", step, strings.Join(got, "\n "), strings.Join(r.want, "\n "), r.log)
	}
	r.t.Logf("%-45s %5.1f s", step, took.Seconds())
	r.record.step(step, items...)
}

// inTime is for what must arrive within two intervals.
func (r *realRun) inTime(step string, items ...string) {
	r.t.Helper()
	since := time.Now()
	r.arrives(step, items...)
	r.slowest = max(r.slowest, time.Since(since))
}

func (r *realRun) run() {
	r.t.Helper()
	q, a := r.everyday()
	r.acceptedAnew(q, a)
	r.reviews(q)
	r.hiddenAndDeleted()
	r.lostRows(a)
	r.kills()
	r.t.Logf("slowest of what the log tells: %.1f s; %d events, each once", r.slowest.Seconds(), len(r.want))
	if r.slowest > 2*realEvery {
		r.t.Errorf("the slowest took %v, more than two intervals of %v", r.slowest, realEvery)
	}
	r.record.save()
}

func (r *realRun) everyday() (q, a string) {
	r.t.Helper()
	q = r.ask("ann", "How do I test webhooks?")
	r.inTime("asked", "question created "+short(q)+" 0 0")
	a = r.answer("bob", q, "With a receiver of your own.")
	r.inTime("answered", "answer created "+short(q)+" "+short(a)+" 0")
	c := r.comment("bob", q, "Which ones do you mean?")
	r.inTime("commented on the question", "comment created "+short(q)+" 0 "+short(c))
	c = r.comment("ann", a, "Thank you very much.")
	r.inTime("commented on the answer", "comment created "+short(q)+" 0 "+short(c))
	r.editQuestion("ann", q, "How do I test signed webhooks?")
	r.inTime("question edited", "question edited "+short(q)+" 0 0")
	r.editAnswer("bob", a, "With a receiver of your own, on loopback.")
	r.inTime("answer edited", "answer edited "+short(q)+" "+short(a)+" 0")
	r.accept("ann", q, a)
	r.inTime("accepted", "answer accepted "+short(q)+" "+short(a)+" 0")
	return q, a
}

// acceptedAnew: the row of the log is the same, and found within a minute.
func (r *realRun) acceptedAnew(q, a string) {
	r.t.Helper()
	r.accept("ann", q, "0")
	other := r.ask("ann", "Something else entirely?")
	r.inTime("another question after an answer was unaccepted", "question created "+short(other)+" 0 0")
	r.accept("ann", q, a)
	r.arrives("accepted anew", "answer accepted "+short(q)+" "+short(a)+" 0")
}

func (r *realRun) reviews(q string) {
	r.t.Helper()
	// The site's review of new posts needs a plugin, so their state is set as its
	// code sets it.
	var asked, answered, commented string
	r.asleep(func() {
		asked = r.ask("bob", "Is this question fine?")
		answered = r.answer("ann", q, "Is this answer fine?")
		commented = r.comment("ann", q, "Is this comment fine?")
		r.logged(asked)
		r.logged(answered)
		r.logged(commented)
		r.exec("update question set status = 11 where id = " + asked)
		r.exec("update answer set status = 11 where id = " + answered)
		r.exec("update comment set status = 11 where id = " + commented)
	})
	r.marker("while posts wait for review")
	r.exec("update question set status = 1 where id = " + asked)
	r.inTime("question approved", "question created "+short(asked)+" 0 0")
	r.exec("update answer set status = 1 where id = " + answered)
	r.inTime("answer approved", "answer created "+short(q)+" "+short(answered)+" 0")
	r.exec("update comment set status = 1 where id = " + commented)
	r.inTime("comment approved", "comment created "+short(q)+" 0 "+short(commented))
	// The review of edits needs none.
	r.editQuestion("bob", q, "How do I test signed webhooks well?")
	r.marker("while an edit waits for review")
	revision := strconv.FormatInt(r.number("select max(id) from revision where object_id = "+q), 10)
	r.api("root", http.MethodPut, "/answer/api/v1/revisions/audit", map[string]any{"id": revision, "operation": "approve"})
	r.inTime("edit approved", "question edited "+short(q)+" 0 0")
}

// marker asks a question, and shows that nothing but it arrives.
func (r *realRun) marker(step string) {
	r.t.Helper()
	q := r.ask("ann", "A question "+step)
	r.inTime("another question "+step, "question created "+short(q)+" 0 0")
}

func (r *realRun) hiddenAndDeleted() {
	r.t.Helper()
	var hidden, deleted string
	r.asleep(func() {
		hidden, deleted = r.ask("ann", "Is this to be hidden?"), r.ask("ann", "Is this to be deleted?")
		r.logged(hidden)
		r.logged(deleted)
		r.api("root", http.MethodPut, "/answer/api/v1/question/operation", map[string]any{"id": hidden, "operation": "hide"})
		r.api("ann", http.MethodDelete, "/answer/api/v1/question", map[string]any{"id": deleted})
	})
	r.marker("while one is hidden and one deleted")
	r.api("root", http.MethodPut, "/answer/api/v1/question/operation", map[string]any{"id": hidden, "operation": "show"})
	r.inTime("shown again", "question created "+short(hidden)+" 0 0")
}

// lostRows: the site's queue is in its memory, so rows can be missing.
func (r *realRun) lostRows(a string) {
	r.t.Helper()
	var q string
	r.asleep(func() {
		q = r.ask("ann", "Does the log lose this?")
		r.logged(q)
		r.editAnswer("bob", a, "With a receiver of your own, on loopback; edited.")
		apptest.Eventually(r.t, "the row of the edit", func() bool {
			return r.number(`select count(*) from activity l join answer a on a.id = l.object_id and a.revision_id = l.revision_id where a.id = `+a) > 0
		})
		r.exec("delete from activity where object_id = " + q)
		revision := r.number("select revision_id from answer where id = " + a)
		r.exec("delete from activity where object_id = " + a + " and revision_id = " + strconv.FormatInt(revision, 10))
	})
	of := strconv.FormatInt(r.number("select question_id from answer where id = "+a), 10)
	r.arrives("rows that the log lost", "question created "+short(q)+" 0 0", "answer edited "+short(of)+" "+short(a)+" 0")
}

func (r *realRun) kills() {
	r.t.Helper()
	r.killFollower()
	q := r.ask("ann", "While nobody follows?")
	r.follow()
	r.arrives("asked while the follower was dead", "question created "+short(q)+" 0 0")

	q = r.ask("ann", "Right before the site is killed?")
	r.kill() // its row may be lost
	r.start()
	r.arrives("asked right before the site was killed", "question created "+short(q)+" 0 0")
	r.marker("after the site was killed")

	r.in.Kill()
	q = r.ask("ann", "While Sitehooks is dead?")
	r.in = apptest.Serve(r.t, r.env, "SITEHOOKS_ADDR="+r.addr)
	r.arrives("asked while Sitehooks was dead", "question created "+short(q)+" 0 0")

	q = r.ask("ann", "Right before everything is killed?")
	r.killFollower()
	r.kill()
	r.in.Kill()
	r.start()
	r.in = apptest.Serve(r.t, r.env, "SITEHOOKS_ADDR="+r.addr)
	r.follow()
	r.arrives("asked right before everything was killed", "question created "+short(q)+" 0 0")
	r.marker("at the end")
}
