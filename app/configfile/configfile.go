// Package configfile keeps the configuration of an instance in a file: Export
// writes settings, locations, sources and webhooks as YAML, and Apply makes an
// instance as the file says.
//
// It promises that secrets are in no file: the environment has them. Apply
// changes only what differs, and overwrites nothing that was changed since it
// looked. It knows the management API by its description: what the file says of
// a webhook is what the API takes, so the API finds the faults.
package configfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/sitehooks/sitehooks/app/client"
	"github.com/sitehooks/sitehooks/handlers/wording"
)

// Options are those of both commands.
type Options struct {
	Client *client.Client
	Out    io.Writer // the file, or the differences
	Err    io.Writer // remarks
}

const prefix = "/api/v1"

// writeLine writes a line. Names come from a file or a server: what could move the
// cursor of a terminal, or look like another line, is written as its number.
func writeLine(to io.Writer, format string, args ...any) error {
	_, err := fmt.Fprintln(to, wording.Printable(fmt.Sprintf(format, args...), ""))
	return err
}

// title names a thing, in a form that fits into a line.
func title(label, name string) string { return label + " " + wording.Printable(name, "") }

// object is a thing as the API or the file has it.
type object = map[string]any

// kind is one kind of things in the file.
type kind struct {
	Section string // of the file
	Label   string // of one
	Path    string
	Key     string // the field that names one
}

var (
	locationKind = kind{"locations", "location", "/locations", "slug"}
	sourceKind   = kind{"sources", "source", "/sources", "name"}
	webhookKind  = kind{"webhooks", "webhook", "/webhooks", "key"}
)

func (k kind) path(name string) string { return k.Path + "/" + url.PathEscape(name) }

// name is the name of a thing; empty: it has none.
func (k kind) name(o object) string {
	name, _ := o[k.Key].(string)
	return name
}

// list reads all pages of a list.
func (o Options) list(ctx context.Context, path string) (all []object, err error) {
	for cursor := ""; ; {
		var page struct {
			Data []object
			Next *string
		}
		query := url.Values{"limit": {"200"}}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		if path == "/settings" {
			query = nil // this list has one page
		}
		if err := o.Client.Do(ctx, client.Request{Method: "GET", Path: prefix + path + questionMark(query)}, &page); err != nil {
			return nil, err
		}
		if all = append(all, page.Data...); page.Next == nil {
			return all, nil
		}
		cursor = *page.Next
	}
}

func questionMark(v url.Values) string {
	if len(v) == 0 {
		return ""
	}
	return "?" + v.Encode()
}

// refusal is an answer of the API, if the error is one.
func refusal(err error) (*client.RefusedError, bool) {
	r, is := errors.AsType[*client.RefusedError](err)
	return r, is
}

// inWords is an error of the API as the command tells it: the fault of each
// field on a line.
func inWords(err error) error {
	r, is := refusal(err)
	if !is || !r.Known {
		return err
	}
	if r.Unauthorized() || len(r.Faults) == 0 || r.Faults[0].Field == "" {
		return errors.New(wording.Printable(r.Detail, ""))
	}
	lines := make([]string, len(r.Faults))
	for i, fault := range r.Faults {
		lines[i] = wording.Printable(fault.Field+": "+fault.Message, "")
	}
	return errors.New(strings.Join(lines, "\n  "))
}

func status(err error) int {
	if r, is := refusal(err); is {
		return r.Status
	}
	return 0
}

// mayManage returns an error if the token only reads: URLs would lack their
// queries. Whole says that the token is for all locations.
func (o Options) mayManage(ctx context.Context) (whole bool, err error) {
	var setting struct{ Name, Value string }
	path := prefix + "/settings/Webhooks.DispatchDelay"
	if err := o.Client.Do(ctx, client.Request{Method: "GET", Path: path}, &setting); err != nil {
		return false, err
	}
	err = o.Client.Do(ctx, jsonRequest("PUT", path+"?dry_run=true", object{"value": setting.Value, "reason": "export"}), &object{})
	if r, is := refusal(err); is && r.Status == 403 {
		if len(r.Faults) > 0 && r.Faults[0].Field == "" && hasScope(r.Detail) {
			return false, fmt.Errorf("a token with the scope manage is needed: %s", r.Detail)
		}
		return false, nil
	}
	return err == nil, err
}
