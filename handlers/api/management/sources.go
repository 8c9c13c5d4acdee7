package management

import (
	"cmp"
	"errors"
	"maps"
	"net/url"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/definition"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	readers "github.com/sitehooks/sitehooks/jobs/wire/read"
	"github.com/sitehooks/sitehooks/models"
)

// Source is where events come from beside the tokens.
type Source struct {
	Name        string            `json:"name"`
	Kind        string            `json:"kind" doc:"follower: it registered itself"`
	Location    string            `json:"location"`
	Fields      map[string]string `json:"fields" doc:"Values of the kind's own fields"`
	Program     string            `json:"program" doc:"jq program of the kind custom"`
	ExpectHours int64             `json:"expect_hours" doc:"After how many hours without an event it counts as silent; 0: never"`
	Secrets     [2]*SecretInfo    `json:"secrets" doc:"When each signing secret was set; null: there is none"`
	LastEventAt *time.Time        `json:"last_event_at"`
	SilentSince *time.Time        `json:"silent_since"`
	Error       string            `json:"error" doc:"Why its newest request was refused; empty: it was not"`
	CreatedAt   time.Time         `json:"created_at"`
	UpdatedAt   time.Time         `json:"updated_at"`
}

// SavedSource is the answer to a save. It is the only answer that has what the
// request generated.
type SavedSource struct {
	Source
	Address *string `json:"address,omitempty" doc:"The address to enter at the sender, with its token, if this request made one"`
	Secret1 *string `json:"secret_1,omitempty" doc:"The new secret, if this request generated it"`
	Secret2 *string `json:"secret_2,omitempty" doc:"The new secret, if this request generated it"`
}

// SourceInput is a source as programs describe it. Fields that are only read may
// be there; they are ignored.
type SourceInput struct {
	Name        Optional[string]             `json:"name" doc:"Slug; it cannot be changed"`
	Kind        Optional[string]             `json:"kind" doc:"Needed for a new source; it cannot be changed"`
	Location    Optional[string]             `json:"location" doc:"Slug; absent: as it is, and for a new source that of the token, or main"`
	Fields      Optional[map[string]*string] `json:"fields" null:"true"`
	Program     Optional[string]             `json:"program" null:"true" doc:"jq program of the kind custom"`
	ExpectHours Optional[int64]              `json:"expect_hours" null:"true"`
	NewAddress  Optional[bool]               `json:"new_address" null:"true" doc:"true: a new token in the address; the old one becomes invalid"`
	Secret1     Optional[SecretInput]        `json:"secret_1" null:"true" doc:"Absent keeps the saved one, null removes it"`
	Secret2     Optional[SecretInput]        `json:"secret_2" null:"true" doc:"Absent keeps the saved one, null removes it"`
}

func sourceOf(row models.SourceRow) Source {
	v := Source{
		Name: row.Name, Kind: row.Kind, Location: row.Location, Fields: map[string]string{}, Program: row.Program, ExpectHours: row.ExpectHours,
		LastEventAt: inUTC(row.State.LastEventAt), SilentSince: inUTC(row.State.SilentSince), Error: row.State.Error,
		CreatedAt: row.CreatedAt.UTC(), UpdatedAt: row.UpdatedAt.UTC(),
	}
	maps.Copy(v.Fields, row.Fields)
	for i, at := range [2]*time.Time{row.Secret1SetAt, row.Secret2SetAt} {
		if at != nil {
			v.Secrets[i] = &SecretInfo{at.UTC()}
		}
	}
	return v
}

// sourceTag changes with every save, and not with every event.
func sourceTag(s models.Source) string { return tagOf([2]any{s.Name, s.UpdatedAt.UTC()}) }

// SourceFilter selects a page of sources.
type SourceFilter struct {
	Limit  Count  `form:"limit" binding:"omitempty,gte=1,lte=200" doc:"How many to list, 50 when absent"`
	Cursor string `form:"cursor" binding:"omitempty,slug" doc:"next of the page before"`
}

func (a *API) listSources(c *call) (answer, error) {
	var in SourceFilter
	if err := c.query(&in); err != nil {
		return answer{}, err
	}
	rows, err := a.store.Sources.List(c.ctx, c.token.Within()) // at most models.MaxSources
	if err != nil {
		return answer{}, err
	}
	list := Page[Source]{Data: []Source{}}
	limit := paging{Limit: in.Limit}.limit()
	for _, row := range rows {
		if row.Name <= in.Cursor {
			continue
		}
		if len(list.Data) == limit {
			list.Next = &list.Data[limit-1].Name
			break
		}
		list.Data = append(list.Data, sourceOf(row))
	}
	return answer{status: ok, value: list}, nil
}

// source is the one that the address names, if the token may see it.
func (a *API) source(c *call) (models.SourceRow, error) {
	row, err := a.store.Sources.Row(c.ctx, c.param("name"))
	if err == nil && !c.token.Within().Has(row.Location) {
		err = models.ErrNotFound
	}
	return row, found("source", err)
}

func (a *API) getSource(c *call) (answer, error) {
	row, err := a.source(c)
	return answer{status: ok, value: sourceOf(row), tag: sourceTag(row.Source)}, err
}

func (a *API) createSource(c *call) (answer, error) {
	var in SourceInput
	if err := c.bind(&in, Source{}); err != nil {
		return answer{}, err
	}
	return a.saveSource(c, &in, nil)
}

// putSource replaces the source of the address, or adds one of this name.
func (a *API) putSource(c *call) (answer, error) {
	var in SourceInput
	if err := c.bind(&in, Source{}); err != nil {
		return answer{}, err
	}
	name := c.param("name")
	if in.Name.Given && in.Name.Value != name {
		return answer{}, faulty(definition.FieldName, "The address names the source “"+api.Clip(name)+"”, and a name cannot be changed.")
	}
	in.Name = Optional[string]{Given: true, Value: name}
	row, err := a.source(c)
	if p, is := errors.AsType[*problem](err); is && p.status == missing {
		return a.saveSource(c, &in, nil)
	}
	if err != nil {
		return answer{}, err
	}
	return a.saveSource(c, &in, &row)
}

// saveSource checks the input and stores it over a source, or as a new one when
// row is nil.
func (a *API) saveSource(c *call, in *SourceInput, row *models.SourceRow) (answer, error) {
	var dry DryRun
	if err := c.query(&dry); err != nil {
		return answer{}, err
	}
	var saved *models.Source
	tag := ""
	if row != nil {
		saved, tag = &row.Source, sourceTag(row.Source)
	}
	if err := c.unchanged(tag); err != nil {
		return answer{}, err
	}
	wanted, err := in.describe(c, saved)
	if err != nil {
		return answer{}, err
	}
	checker := definition.SourceChecker{Sources: a.store.Sources, Sender: a.Sender, Places: &places{web.NewDirectory(a.store.Locations, c.token.Within()), c.token}, Program: a.Program}
	checked, faults, err := checker.Check(c.ctx, wanted.SourceInput, saved)
	if err != nil {
		return answer{}, err
	}
	for _, fault := range faults {
		field := fault.Field
		if key, is := strings.CutPrefix(field, definition.OptionField("")); is {
			field = "fields." + key
		}
		wanted.faults.Whole(field, "%s", fault.Text)
	}
	if len(wanted.faults) > 0 {
		return answer{}, &problem{status: unprocessable, reason: api.ReasonInvalid, faults: wanted.faults}
	}
	if row == nil {
		if err := a.nameTaken(c, in.Name.Value); err != nil {
			return answer{}, err
		}
	}
	changed, err := a.sourceChanges(&checked, saved)
	switch {
	case err != nil:
		return answer{}, err
	case dry.DryRun == "true":
		return answer{status: ok, value: Changes{Creates: row == nil, Changes: changed}}, nil
	case len(changed) == 0 && row != nil:
		return answer{status: ok, value: sourceOf(*row), tag: tag}, nil
	}
	return a.storeSource(c, in, saved, checked, wanted.generated)
}

// nameTaken refuses a new source of a name that is taken, also by one that the
// token does not see.
func (a *API) nameTaken(c *call, name string) error {
	src, err := a.store.Sources.Get(c.storing(), name)
	switch {
	case errors.Is(err, models.ErrNotFound):
		return nil
	case err != nil:
		return err
	case c.conditional() && c.token.Within().Has(src.Location):
		return errChanged // it was added in the meantime
	}
	return sourceRefused(models.ErrExists)
}

// sourceRefused is the answer to an error of storing a source.
func sourceRefused(err error) error {
	fault, is := definition.SourceFaultOf(err)
	if !is {
		return found("source", err)
	}
	if fault.Field == definition.FieldVersion {
		fault.Field = ""
	}
	return &problem{status: conflict, detail: wording.Cut(fault.Text, 300), faults: []api.FieldError{{Field: fault.Field, Message: fault.Text}}}
}

// wantedSource is an input, checked for what only this API can get wrong.
type wantedSource struct {
	definition.SourceInput
	generated [2]bool
	faults    api.Faults
}

func (in *SourceInput) describe(c *call, saved *models.Source) (w wantedSource, err error) {
	kind := in.Kind.Value
	if saved != nil {
		if kind = saved.Kind; in.Kind.Given && in.Kind.Value != kind {
			w.faults.Whole("kind", "The kind of a source cannot be changed. It is %s.", kind)
		}
	}
	reader, known := readers.ReaderOf(kind)
	if !known && (saved == nil || !saved.Follows()) {
		return w, faulty("kind", "There is no such kind of source.")
	}
	w.Name, w.Kind, w.NewAddress = in.Name.Value, reader, in.NewAddress.Value
	w.Program, w.ExpectHours = &in.Program.Value, &in.ExpectHours.Value
	if w.Location = in.Location.pointerOrClear(); w.Location == nil && saved == nil {
		w.Location = new(c.defaultLocation())
	}
	if reader == nil {
		in.onlyFollows(&w.faults)
		return w, nil
	}
	w.Fields = map[string]string{}
	for _, field := range reader.Fields {
		w.Fields[field.Key] = ""
		if value := in.Fields.Value[field.Key]; value != nil {
			w.Fields[field.Key] = *value
		}
		delete(in.Fields.Value, field.Key)
	}
	for key := range in.Fields.Value {
		w.faults.Whole("fields."+api.Clip(key), "Sources of this kind have no such field.")
	}
	w.secret(0, &in.Secret1)
	w.secret(1, &in.Secret2)
	return w, nil
}

// onlyFollows refuses what a follower does not have.
func (in *SourceInput) onlyFollows(faults *api.Faults) {
	for _, field := range []struct {
		name  string
		given bool
	}{
		{"fields", len(in.Fields.Value) > 0},
		{definition.FieldProgram, in.Program.Value != ""},
		{"new_address", in.NewAddress.Value},
		{definition.SecretField(0), in.Secret1.Set()},
		{definition.SecretField(1), in.Secret2.Set()},
	} {
		if field.given {
			faults.Whole(field.name, "A follower has no such field.")
		}
	}
}

// secret translates the change of a secret.
func (w *wantedSource) secret(i int, in *Optional[SecretInput]) {
	field := definition.SecretField(i)
	switch {
	case !in.Given:
		return
	case in.Value.Generate && (w.Kind.NewSecret == nil || i >= len(w.Kind.Secrets)):
		w.faults.Whole(field, "The sender makes the secret. Enter it here.")
		return
	case in.Value.Generate:
		in.Value.Value, w.generated[i] = w.Kind.NewSecret(), true
	case !in.Null && in.Value.Value == "":
		w.faults.Whole(field, "Enter a secret, or null to remove it.")
		return
	}
	w.Secrets[i] = &in.Value.Value
}

// sourceChanges leaves in the input only what differs from the saved source, and
// names the fields that do.
func (a *API) sourceChanges(in *models.SourceInput, saved *models.Source) ([]string, error) {
	old := models.Source{}
	var secrets [2]string
	if saved != nil {
		old = *saved
		var err error
		if secrets, err = a.store.Sources.Open(old); err != nil {
			return nil, err
		}
	}
	changed := []string{}
	for _, field := range []struct {
		name string
		same bool
	}{
		{"kind", saved != nil || in.Kind == ""},
		{definition.FieldLocation, in.Location == old.Location},
		{"fields", maps.Equal(in.Fields, old.Fields)},
		{definition.FieldProgram, in.Program == old.Program},
		{definition.FieldExpectHours, in.ExpectHours == old.ExpectHours},
		{"new_address", !in.NewAddress},
		{definition.SecretField(0), definition.KeepSame(&in.Secrets[0], secrets[0])},
		{definition.SecretField(1), definition.KeepSame(&in.Secrets[1], secrets[1])},
	} {
		if !field.same {
			changed = append(changed, field.name)
		}
	}
	return changed, nil
}

func (a *API) storeSource(c *call, in *SourceInput, saved *models.Source, checked models.SourceInput, generated [2]bool) (answer, error) {
	var src models.Source
	var token string
	var err error
	if saved == nil {
		src, token, err = a.store.Sources.Create(c.storing(), c.by(), in.Name.Value, checked)
	} else {
		src, token, err = a.store.Sources.Update(c.storing(), c.by(), saved.Name, saved.UpdatedAt, checked)
	}
	if errors.Is(err, models.ErrExists) { // another request was quicker
		err = cmp.Or(a.nameTaken(c, in.Name.Value), sourceRefused(err))
	}
	if err != nil {
		return answer{}, sourceRefused(c.savedMeanwhile("source", err))
	}
	row, err := a.store.Sources.Row(c.storing(), src.Name)
	if err != nil {
		return answer{}, found("source", err)
	}
	out := SavedSource{Source: sourceOf(row)}
	if token != "" {
		out.Address = new(a.Site.BaseURL.JoinPath("in", src.Name, token).String())
	}
	for i, secret := range []**string{&out.Secret1, &out.Secret2} {
		if generated[i] {
			*secret = &checked.Secrets[i].Set
		}
	}
	reply := answer{status: ok, value: out, tag: sourceTag(row.Source)}
	if saved == nil {
		reply.status, reply.at = created, Prefix+"/sources/"+url.PathEscape(src.Name)
	}
	return reply, nil
}

func (a *API) deleteSource(c *call) (answer, error) {
	row, err := a.source(c)
	if err != nil {
		return answer{}, err
	}
	if err := c.unchanged(sourceTag(row.Source)); err != nil {
		return answer{}, err
	}
	err = a.store.Sources.Delete(c.storing(), c.by(), row.Name, c.seen(row.UpdatedAt)...)
	return answer{status: noBody}, c.savedMeanwhile("source", err)
}
