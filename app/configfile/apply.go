package configfile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/sitehooks/sitehooks/app/client"
)

// ErrChanges says that a dry run found changes.
var ErrChanges = errors.New("there are changes")

// Wanted is what Apply is to do.
type Wanted struct {
	File   []byte
	Getenv func(string) string
	// DryRun only shows the differences. Prune also removes the webhooks with a
	// key, and the sources, that the file lacks.
	DryRun, Prune bool
	Reason        string // for the history of settings
}

// plan is what has to be changed, in this order.
type plan struct {
	Options
	Wanted
	steps []step
	// eased says that a step before may make possible what is refused now.
	eased bool
}

// step is one change.
type step struct {
	what  string // such as "webhook python-accepted"
	shown []string
	do    func(ctx context.Context) error
	verb  string // created, changed or removed
}

// Apply makes an instance as the file says, and shows the differences. Errors:
// ErrChanges; a refusal in words. When something is refused before the first
// change, nothing is changed.
func Apply(ctx context.Context, o Options, w Wanted) error {
	f, err := parse(w.File, w.Getenv)
	if err != nil {
		return err
	}
	if w.Prune && f.none() {
		return errors.New("--prune: the file has nothing in settings, locations, sources or webhooks, so every source and every webhook with a key would be removed; if that is what you want, write: webhooks: []")
	}
	p := &plan{Options: o, Wanted: w}
	if err := p.all(ctx, f); err != nil {
		return err
	}
	if len(p.steps) == 0 {
		return writeLine(o.Out, "Nothing to do.")
	}
	for _, s := range p.steps {
		sign := map[string]string{"created": "+", "changed": "~", "removed": "-"}[s.verb]
		if err := writeLine(o.Out, "%s %s", sign, s.what); err != nil {
			return err
		}
		for _, line := range s.shown {
			if err := writeLine(o.Out, "    %s", line); err != nil {
				return err
			}
		}
	}
	if w.DryRun {
		return ErrChanges
	}
	return p.carryOut(ctx)
}

func (p *plan) carryOut(ctx context.Context) error {
	done := map[string]int{}
	for _, s := range p.steps {
		err := s.do(ctx)
		if status(err) == http.StatusPreconditionFailed {
			err = fmt.Errorf("the %s was changed in the meantime and is left as it is; run apply again to see the difference", s.what)
		}
		if err != nil {
			return fmt.Errorf("%w%s", named(s.what, err), p.sofar(done))
		}
		done[s.verb]++
	}
	return writeLine(p.Out, "Done: %s.", tally(done))
}

// sofar says what was changed before a change was refused.
func (p *plan) sofar(done map[string]int) string {
	if len(done) == 0 {
		return ""
	}
	return "\n  Before that: " + tally(done) + "."
}

func tally(done map[string]int) string {
	var parts []string
	for _, verb := range []string{"created", "changed", "removed"} {
		if done[verb] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", done[verb], verb))
		}
	}
	return strings.Join(parts, ", ")
}

// named adds to an error what it is about, unless it says so.
func named(what string, err error) error {
	if strings.Contains(err.Error(), what) {
		return err
	}
	return fmt.Errorf("%s: %w", what, inWords(err))
}

func (p *plan) all(ctx context.Context, f file) error {
	var faults []error
	note := func(what string, err error) {
		if err != nil {
			faults = append(faults, named(what, err))
		}
	}
	for _, s := range f.Settings {
		note(title("setting", fmt.Sprint(s.Key)), p.setting(ctx, fmt.Sprint(s.Key), settingText(s.Value)))
	}
	for _, section := range []struct {
		kind
		list []object
	}{{locationKind, f.Locations}, {sourceKind, f.Sources}, {webhookKind, f.Webhooks}} {
		for _, one := range section.list {
			note(title(section.Label, section.name(one)), p.put(ctx, section.kind, one))
		}
	}
	if p.Prune {
		note("webhooks", p.prune(ctx, webhookKind, f.Webhooks))
		note("sources", p.prune(ctx, sourceKind, f.Sources))
	}
	return errors.Join(faults...)
}

func (p *plan) add(s step) { p.steps = append(p.steps, s) }

func (p *plan) setting(ctx context.Context, name, value string) error {
	path := prefix + "/settings/" + url.PathEscape(name)
	var now object
	head, err := p.Client.Ask(ctx, client.Request{Method: "GET", Path: path}, &now)
	if err != nil {
		return err
	}
	body := object{"value": value, "reason": p.Reason}
	if p.Reason == "" {
		body["reason"] = "dry run"
	}
	var would changes
	if err := p.Client.Do(ctx, jsonRequest("PUT", path+"?dry_run=true", body), &would); err != nil || len(would.Changes) == 0 {
		return err
	}
	p.eased = true
	put := func(ctx context.Context) error { return p.send(ctx, "PUT", path, body, head) }
	p.add(step{title("setting", name), []string{fmt.Sprintf("%v → %s", now["value"], value)}, put, "changed"})
	return nil
}

// changes is the answer to a dry run.
type changes struct {
	Creates bool
	Changes []string
}

// send makes a change, if the thing is still as it was seen. Nil head: it was
// not there.
func (p *plan) send(ctx context.Context, method, path string, body any, head http.Header) error {
	q := client.Request{Method: method, Path: path}
	if body != nil {
		q = jsonRequest(method, path, body)
	}
	q.Header = map[string]string{"If-None-Match": "*"}
	if head != nil {
		q.Header = map[string]string{"If-Match": head.Get("ETag")}
	}
	_, err := p.Client.Ask(ctx, q, nil)
	return err
}

// put plans what has to be done for a thing to be as the file says.
func (p *plan) put(ctx context.Context, k kind, wanted object) error {
	name := k.name(wanted)
	body := maps.Clone(wanted)
	paused, is := body["paused"].(bool)
	if _, given := body["paused"]; given && !is {
		return errors.New("paused must be true or false")
	}
	delete(body, "paused")
	if k != webhookKind {
		delete(body, k.Key) // the address has it
	}
	now, head, err := p.now(ctx, k, name)
	if err != nil {
		return err
	}
	path := prefix + k.path(name)
	var would changes
	err = p.Client.Do(ctx, jsonRequest("PUT", path+"?dry_run=true", body), &would)
	if p.hopeful(err) {
		would, err = changes{Creates: now == nil, Changes: slices.Sorted(maps.Keys(body))}, nil
	}
	if err != nil {
		return err
	}
	what := title(k.Label, name)
	put := func(ctx context.Context) error { return p.send(ctx, "PUT", path, body, head) }
	switch {
	case now == nil:
		p.add(step{what, summary(body), put, "created"})
	case len(would.Changes) > 0:
		p.add(step{what, differences(now, body, would.Changes), put, "changed"})
	}
	if k == locationKind && (now == nil || len(would.Changes) > 0) {
		p.eased = true
	}
	if k == webhookKind && paused && now["state"] != "stopped" {
		p.add(step{what, []string{"paused"}, func(ctx context.Context) error {
			_, err := p.Client.Ask(ctx, client.Request{Method: "POST", Path: path + "/pause"}, nil)
			return err
		}, "changed"})
	}
	return nil
}

// now is a thing as it is, and the headers of the answer; nil: there is none.
func (p *plan) now(ctx context.Context, k kind, name string) (object, http.Header, error) {
	if k == locationKind { // a list alone has these
		return p.location(ctx, name)
	}
	var now object
	head, err := p.Client.Ask(ctx, client.Request{Method: "GET", Path: prefix + k.path(name)}, &now)
	if status(err) == http.StatusNotFound {
		return nil, nil, nil
	}
	return now, head, err
}

// location finds a location. Its ETag comes with a PUT that changes nothing.
func (p *plan) location(ctx context.Context, slug string) (object, http.Header, error) {
	var would changes
	err := p.Client.Do(ctx, jsonRequest("PUT", prefix+locationKind.path(slug)+"?dry_run=true", object{}), &would)
	if err != nil || would.Creates {
		return nil, nil, err
	}
	var now object
	head, err := p.Client.Ask(ctx, jsonRequest("PUT", prefix+locationKind.path(slug), object{}), &now)
	return now, head, err
}

// hopeful tells a refusal that may be no more once the steps before are made:
// of a location or community that is not there yet, or a type that is off.
func (p *plan) hopeful(err error) bool {
	r, is := refusal(err)
	if !is || !p.eased || r.Status != http.StatusUnprocessableEntity || len(r.Faults) == 0 {
		return false
	}
	for _, fault := range r.Faults {
		off := fault.Field == "type" && strings.Contains(fault.Message, "switched off")
		if !off && fault.Field != "location" && fault.Field != "community" {
			return false
		}
	}
	return true
}

// prune plans the removal of what the file lacks. Followers register themselves,
// so they stay.
func (p *plan) prune(ctx context.Context, k kind, keep []object) error {
	all, err := p.list(ctx, k.Path)
	if status(err) == http.StatusNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	for _, one := range all {
		name := k.name(one)
		is := func(o object) bool { return k.name(o) == name }
		if name == "" || one["kind"] == "follower" || slices.ContainsFunc(keep, is) {
			continue
		}
		_, head, err := p.now(ctx, k, name)
		if err != nil {
			return err
		}
		path := prefix + k.path(name)
		p.add(step{title(k.Label, name), nil, func(ctx context.Context) error { return p.send(ctx, "DELETE", path, nil, head) }, "removed"})
	}
	return nil
}
