package jobs

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// heldLane is a lane that this instance holds, driven by hand. It has looked for
// what is due, and the delivery of the given event is on its way.
func (b *bench) heldLane(w models.Webhook, e models.NewEvent) *lane {
	b.t.Helper()
	b.dispatched(e)
	work, claimed := b.claim(w, "test")
	if !claimed {
		b.t.Fatal("the lane is not free")
	}
	l := newLane(b.runner, seat{id: w.ID, share: models.ShareFast}, "test")
	b.runner.held[w.ID] = l
	ok(b.t, l.begin(b.t.Context(), work, time.Now()))
	b.looked(l)
	l.pacer.begin(l.pre.queue[0])
	l.pre.queue = nil
	return l
}

// looked takes over the answer to a look that is under way.
func (b *bench) looked(l *lane) {
	b.t.Helper()
	ok(b.t, l.answer(b.t.Context(), <-l.pre.answers))
}

// filledWith fills the lane with what it was offered, and returns the titles of what
// it would send; reads: it has to read something.
func (b *bench) filledWith(l *lane) (titles string, reads bool) {
	b.t.Helper()
	l.more = false
	<-l.filled
	l.fill()
	var all []string
	for _, d := range l.pre.queue {
		_, title, _ := strings.Cut(string(d.SharedBytes())+string(d.Body), `"title":"Title of `)
		title, _, _ = strings.Cut(title, `"`)
		all = append(all, title)
	}
	return strings.Join(all, " "), l.more
}

func (b *bench) dispatched(events ...models.NewEvent) {
	b.t.Helper()
	b.record(events...)
	b.later()
	ok(b.t, b.runner.renew(b.t.Context()))
}

// What dispatch hands over in memory is what the lane would read.
func TestWhatIsHandedOverIsAsItIsRead(t *testing.T) {
	long := func(e *models.NewEvent) {
		e.Payload = []byte(strings.Replace(string(e.Payload), `"title"`, `"body":"`+strings.Repeat("long ", 100)+`","title"`, 1))
	}
	for _, kind := range []string{"stackauth", "generic", "superoffice"} {
		for webhooks := 1; webhooks <= 2; webhooks++ {
			t.Run(fmt.Sprintf("%s, %d", kind, webhooks), func(t *testing.T) {
				onBoth(t, func(b *bench) {
					var w models.Webhook
					for range webhooks {
						w = b.webhook(func(in *models.WebhookInput) {
							if in.Type = kind; kind == "superoffice" {
								in.Events = []string{"contact.created"}
							}
						})
					}
					e := question("one", 1, long)
					if kind == "superoffice" {
						e.Type, e.MergeKey, e.Subject = "contact.created", "", "5"
						e.Payload = []byte(`{"type":"contact.created","subject":"5","data":{"name":"` + strings.Repeat("long ", 100) + `"}}`)
					}
					l := b.heldLane(w, e)
					e.EventID, e.MergeKey = "two", ""
					format := *l.format
					format.Policy.HoldOthers = false // for the third type
					l.format = &format
					b.dispatched(e)
					b.filledWith(l)
					read, all, err := b.store.Lanes.Due(b.t.Context(), l.seen, models.DueQuery{At: b.clock.Now(), Limit: 10, UnderWay: slices.Collect(maps.Keys(l.pacer.open))})
					ok(b.t, err)
					if len(read) != 1 || !all || len(l.pre.queue) != 1 || l.more {
						b.t.Fatalf("%d read, all %v, %d handed over, more %v", len(read), all, len(l.pre.queue), l.more)
					}
					got, want := l.pre.queue[0], read[0]
					for _, d := range []*models.Delivery{&got, &want} {
						at := d.DueAt.UTC()
						d.DueAt, d.CreatedAt = &at, d.CreatedAt.UTC()
						d.Body, d.Passage = append([]byte{}, d.Body...), append([]byte{}, d.Passage...)
						if d.Shared != nil {
							d.Shared = &models.Body{ID: d.Shared.ID, Body: d.Shared.Body}
						}
					}
					if !reflect.DeepEqual(got, want) {
						b.t.Errorf("handed over %+v\nread %+v", got, want)
					}
				})
			})
		}
	}
}

// What is handed over counts only when the lane has all that fell due before it,
// so that nothing overtakes what it does not know.
func TestWhatIsHandedOverOvertakesNothing(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(func(in *models.WebhookInput) { in.Type = "stackauth" })
		l := b.heldLane(w, question("first", 1000, nil))
		b.exec("update dispatch_runs set runs = 500")
		expect := func(what, titles string, reads bool) {
			b.t.Helper()
			if got, more := b.filledWith(l); got != titles || more != reads {
				b.t.Errorf("%s: it has %q and reads %v, want %q and %v", what, got, more, titles, reads)
			}
		}
		lookAgain := func() {
			b.t.Helper()
			l.gotAt = time.Time{} // so that it learns how late it is
			l.fetch(b.t.Context())
			b.looked(l)
		}
		b.dispatched(question("a", 1, nil))
		expect("after runs that this process did not make", "", true)
		lookAgain()
		b.dispatched(question("b", 2, nil))
		expect("the next", "a b", false)
		b.dispatched(question("c", 3, nil), question("d", 4, nil))
		expect("two together", "a b c d", false)

		other := &dispatcher{store: b.store, runner: newRunner(b.runner.deliverer, sharePlaces, openMost), log: b.runner.log, mostBytes: dispatchBytes}
		ours := b.dispatcher
		b.dispatcher = other
		b.dispatched(question("e", 5, nil))
		b.dispatcher = ours
		b.dispatched(question("f", 6, nil))
		expect("after a run of another instance", "a b c d", true)
		b.dispatched(question("g", 7, nil))
		expect("while it did not look", "a b c d", true)
		lookAgain()
		b.dispatched(question("h", 8, nil))
		expect("after a look", "a b c d e f g h", false)

		l.gotAt = time.Time{}
		l.fetch(b.t.Context())
		b.dispatched(question("i", 9, nil))
		expect("during a look", "a b c d e f g h", true)
		b.looked(l)
		b.dispatched(question("j", 10, nil))
		if titles, reads := b.filledWith(l); !reads || strings.Contains(titles, "j") {
			b.t.Errorf("after a look that may have missed one it has %q", titles)
		}
		lookAgain()
		b.dispatched(question("k", 11, nil))
		expect("each once", "a b c d e f g h i j k", false)

		b.exec("update lanes set paced = true")
		b.dispatched(question("l", 12, nil))
		expect("while others go out slowly", "a b c d e f g h i j k", true)
		b.exec("update lanes set paced = false")
		b.dispatched(question("m", 13, nil))
		expect("and after that", "a b c d e f g h i j k", true)
		lookAgain()
		l.pre.fetched = time.Now().Add(-lanePoll)
		b.dispatched(question("n", 14, nil))
		expect("long after a look", "a b c d e f g h i j k l m", true)
		lookAgain()
		poke(l.filled)
		expect("when something else fell due", "a b c d e f g h i j k l m n", true)
		b.dispatched(question("o", 15, nil))
		expect("and it has not looked since", "a b c d e f g h i j k l m n", true)
		lookAgain()
		b.dispatched(many(laneFetch)...)
		expect("too many", "a b c d e f g h i j k l m n o", true)
	})
}

// A lane that has ended, or is to forget what it read, takes nothing over.
func TestNothingIsHandedToALaneThatEnded(t *testing.T) {
	for name, change := range map[string]func(l *lane){
		"ended":        func(l *lane) { l.end() },
		"outside":      func(l *lane) { l.outside = true; l.pacer.window = 0 },
		"forgot":       func(l *lane) { l.pre.drop() },
		"holds others": func(l *lane) { l.format.Policy.HoldOthers = true },
		"large":        nil,
		"not yet ready": func(l *lane) {
			l.runs.committing.Add(1)
			l.fetch(t.Context())
			_ = l.answer(t.Context(), <-l.pre.answers)
		},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(b *bench) {
				w := b.webhook(func(in *models.WebhookInput) { in.Type = "stackauth" })
				l := b.heldLane(w, question("a", 1, nil))
				policy := *l.format
				l.format = &policy
				e := question("b", 2, nil)
				if change == nil {
					e = question("b", 2, func(e *models.NewEvent) {
						e.Payload = []byte(strings.Replace(string(e.Payload), "Title of", strings.Repeat("long ", laneAheadBytes/5), 1))
					})
				} else {
					change(l)
				}
				b.dispatched(e)
				if got, reads := b.filledWith(l); got != "" || !reads {
					b.t.Errorf("it has %q and reads %v", got, reads)
				}
			})
		})
	}
}
