package torture

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// tortureDoors are strangers that flood the doors of the instances.
type tortureDoors struct {
	run    *tortureRun
	random *rand.Rand
	keys   apptest.Keys
}

// newTortureDoors gives the strangers their credentials. The instances are up.
func newTortureDoors(r *tortureRun) *tortureDoors {
	base, err := r.fleet.any()
	ok(r.t, err)
	in := &apptest.Instance{T: r.t, Base: base}
	token := func(scope string) string {
		out, errs, err := apptest.Output(r.t, r.fleet.env, "", "token", "create", "--name", "stranger "+scope, "--scope", scope, "--location", "team-b")
		if err != nil {
			r.t.Fatalf("%v: %s", err, errs)
		}
		return strings.TrimSpace(out)
	}
	return &tortureDoors{run: r, random: r.random(randomDoors), keys: apptest.Keys{
		TeamToken: token("ingest"), SuperOffice: token("superoffice"), Silent: apptest.Silent(r.t),
		Viewer: in.Login().Member(in, "viewer@example.com", "viewer"),
	}}
}

func (d *tortureDoors) actors() []func(stop <-chan struct{}) {
	return []func(stop <-chan struct{}){d.work}
}

// work presses on the doors so many times: on each by itself, in any order, and
// then on all of them at once, again and again. The last time it is all.
func (d *tortureDoors) work(stop <-chan struct{}) {
	each := d.run.span / time.Duration(d.run.doors+1)
	begun := time.Now()
	var order []int
	for i := range d.run.doors {
		// By the start of the run: a press takes long itself.
		if !apptest.Pause(stop, time.Until(begun.Add(time.Duration(i)*each+about(d.random, each)))) {
			return
		}
		all := apptest.Doors(d.keys, d.run.strangers)
		if len(order) == 0 {
			order = append(d.random.Perm(len(all)), len(all))
		}
		one := order[0]
		order = order[1:]
		if one == len(all) || i+1 == d.run.doors {
			d.press("all of these at once", all)
		} else {
			d.press(all[one].Name, all[one:one+1])
		}
	}
}

// press keeps strangers at doors while the site reports, and nothing else is
// wrong: every report has to be accepted soon.
func (d *tortureDoors) press(name string, attacks []apptest.Door) {
	f := d.run.fleet
	f.peace.Lock()
	defer f.peace.Unlock()
	f.recover()
	strangers := apptest.NewIntruders("127.0.0.66")
	defer strangers.Stop()
	for _, a := range attacks {
		strangers.Attack(a, func() string {
			base, _ := f.any()
			return base
		})
	}
	first := make(chan struct{})
	go func() {
		strangers.First.Wait()
		close(first)
	}()
	select {
	case <-first:
	case <-d.run.lost: // they find nobody
		return
	}
	defer d.run.begins("strangers: "+name, tortureSoon, true)()
	for range d.run.reports {
		e := d.run.site.newEvent(d.random)
		e.posted = d.run.now()
		start := time.Now()
		_, err := d.run.site.post(e.json(), "application/json", 1, apptest.Patience)
		d.run.count("reports while doors were pressed", 1)
		if took := time.Since(start); err != nil || took > tortureSoon {
			d.run.count("of them not accepted within 2 s", 1)
			d.run.t.Logf("%s after %s while %s: %v", http.MethodPost, took.Round(time.Millisecond), name, err)
		}
		d.run.site.report(d.random, []*tortureEvent{e}) // again, until it is accepted
		if d.run.isLost() {
			return
		}
	}
	d.run.count("times doors were pressed", 1)
}
