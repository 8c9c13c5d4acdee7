package sources

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/definition"
	"github.com/sitehooks/sitehooks/handlers/fields"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/jobs/wire/read"
	"github.com/sitehooks/sitehooks/models"
)

// wholeForm is the "field" of faults that belong to none.
const wholeForm = "form"

type kindsPage struct {
	web.Page
	Kinds []*read.Reader
}

// sourceForm is the input of the form.
type sourceForm struct {
	Name        web.Line `form:"name"`
	Location    string   `form:"location"`
	Program     string   `form:"program" binding:"max=70000"`
	ExpectHours web.Line `form:"expect_hours"`
	NewAddress  string   `form:"new_address"` // not empty: the old one becomes invalid
	UpdatedAt   string   `form:"updated_at"`  // the version that the form was opened with
	Do          string   `form:"do"`

	// The fields below have names that depend on the kind.

	fields.SecretInput `form:"-"`
	Options            map[string]string `form:"-"` // by key
}

// editing is one request for the form.
type editing struct {
	kind    *read.Reader   // nil: a follower
	old     *models.Source // nil: a new source
	form    sourceForm
	faults  web.Faults
	preview *preview
}

// New shows the kinds of sources, or the form for the one that ?kind names.
func (s *Pages) New(c *gin.Context) error {
	if c.Query("kind") == "" {
		return s.Render(c, http.StatusOK, "source_kinds", &kindsPage{web.Page{Title: "Add a source", Nav: nav}, read.Readers()})
	}
	e, err := newEditing(c)
	if err != nil {
		return err
	}
	e.form.Options = fields.Defaults(e.kind.Fields)
	e.form.Location = s.Within(c).Default()
	if e.kind.HasProgram {
		e.form.Program = "."
	}
	return s.offer(c, e)
}

func newEditing(c *gin.Context) (*editing, error) {
	kind, known := read.ReaderOf(c.Query("kind"))
	if !known {
		return nil, web.NotFound("There is no such kind of source.")
	}
	return &editing{kind: kind}, nil
}

// NewPost handles the buttons of the form for a new source.
func (s *Pages) NewPost(c *gin.Context) error {
	e, err := newEditing(c)
	if err != nil {
		return err
	}
	return s.post(c, e)
}

// Edit shows the form with a saved source.
func (s *Pages) Edit(c *gin.Context) error {
	e, err := s.savedEditing(c)
	if err != nil {
		return err
	}
	src := e.old
	e.form = sourceForm{
		Name: web.Line(src.Name), Location: src.Location, Program: src.Program, Options: src.Fields,
		UpdatedAt: src.UpdatedAt.UTC().Format(time.RFC3339Nano),
	}
	if src.ExpectHours > 0 {
		e.form.ExpectHours = web.Line(strconv.FormatInt(src.ExpectHours, 10))
	}
	return s.offer(c, e)
}

func (s *Pages) savedEditing(c *gin.Context) (*editing, error) {
	row, err := s.row(c)
	if err != nil {
		return nil, err
	}
	e := &editing{old: &row.Source}
	if row.Follows() {
		return e, nil
	}
	var known bool
	if e.kind, known = read.ReaderOf(row.Kind); !known {
		return nil, fmt.Errorf("source %s has the unknown kind %q", row.Name, row.Kind)
	}
	return e, nil
}

// EditPost handles the buttons of a saved source's form.
func (s *Pages) EditPost(c *gin.Context) error {
	e, err := s.savedEditing(c)
	if err != nil {
		return err
	}
	return s.post(c, e)
}

// offer shows the form, with the unsaved input from before a new login.
func (s *Pages) offer(c *gin.Context, e *editing) error {
	typed, err := s.TypedBefore(c)
	if err != nil {
		return err
	}
	if typed != nil {
		e.form = sourceForm{}
		if err := web.Fill(&e.form, typed); err != nil {
			return err
		}
		e.complete(typed)
	}
	return s.showForm(c, http.StatusOK, e)
}

// complete adds the fields that depend on the kind to a form that was bound.
func (e *editing) complete(v url.Values) {
	e.form.Options = map[string]string{}
	if e.kind == nil {
		return
	}
	e.form.SecretInput, e.form.Options = fields.TypedSecrets(len(e.kind.Secrets), v), fields.Typed(e.kind.Fields, v)
}

// post carries out the action of the pressed button. Only save stores anything.
func (s *Pages) post(c *gin.Context, e *editing) error {
	bound, err := web.Bind(c, &e.form)
	if err != nil {
		return err
	}
	e.faults = bound
	e.complete(c.Request.PostForm)
	switch do := e.form.Do; do {
	case "generate_1", "generate_2", "clear_1", "clear_2", "undo_1", "undo_2":
		if e.kind == nil || !e.form.Press(do, len(e.kind.Secrets), e.kind.NewSecret, e.savedSecrets()) {
			return web.Unusable("This kind of source has no such signing secret.")
		}
		return s.showForm(c, http.StatusOK, e)
	case "preview":
		checked, err := s.check(c, e)
		if err != nil {
			return err
		}
		if e.preview, err = s.previewOf(c.Request.Context(), e, checked); err != nil {
			return err
		}
		return s.showForm(c, http.StatusOK, e)
	case "save", "":
		return s.save(c, e)
	}
	return web.Unusable("The form has no button with this name.")
}

// savedSecrets are those of the edited source; a new one has none.
func (e *editing) savedSecrets() (saved [2]fields.Saved) {
	if e.old != nil {
		saved = savedSecrets(*e.old)
	}
	return saved
}

// check looks the form through. The error is of the system.
func (s *Pages) check(c *gin.Context, e *editing) (models.SourceInput, error) {
	checker := definition.SourceChecker{Sources: s.Store.Sources, Sender: s.Sender, Places: s.Directory(c), Program: s.Program}
	checked, faults, err := checker.Check(c.Request.Context(), e.input(), e.old)
	if err != nil {
		return checked, err
	}
	if !s.Within(c).Has(checked.Location) && faults.Of(definition.FieldLocation) == "" {
		faults = append(faults, definition.Fault{Field: definition.FieldLocation, Text: "Your account may not use this location."})
	}
	for _, fault := range faults {
		e.faults.Add(fault.Field, fault.Text)
	}
	if _, err := time.Parse(time.RFC3339Nano, e.form.UpdatedAt); e.old != nil && err != nil {
		e.faults.Add(wholeForm, "This form does not name the version that it was opened with. Open it again.")
	}
	e.form.Location = checked.Location
	return checked, nil
}

// input translates the form.
func (e *editing) input() definition.SourceInput {
	hours := int64(0)
	if e.form.ExpectHours != "" {
		n, err := strconv.ParseInt(string(e.form.ExpectHours), 10, 64)
		if hours = n; err != nil {
			hours = -1
		}
	}
	in := definition.SourceInput{
		Name: string(e.form.Name), Kind: e.kind, Location: &e.form.Location, Program: &e.form.Program, ExpectHours: &hours,
		Fields: e.form.Options, NewAddress: e.form.NewAddress != "", Secrets: e.form.Changes(),
	}
	return in
}

func (s *Pages) save(c *gin.Context, e *editing) error {
	checked, err := s.check(c, e)
	if err != nil {
		return err
	}
	if len(e.faults) > 0 {
		return s.showForm(c, http.StatusUnprocessableEntity, e)
	}
	src, token, err := s.store(c.Request.Context(), web.ActorOf(c), e, checked)
	if fault, is := definition.SourceFaultOf(err); is {
		if fault.Field == definition.FieldVersion {
			fault.Field = wholeForm
		}
		e.faults.Add(fault.Field, fault.Text)
		return s.showForm(c, http.StatusUnprocessableEntity, e)
	}
	if err != nil {
		return err
	}
	if token != "" {
		if err := s.SetOnce(c, web.OnceAddress, s.fullAddress(src.Name, token)); err != nil {
			return err
		}
	}
	said := "Saved " + src.Name + "."
	if e.old == nil {
		said = "Added " + src.Name + "."
	}
	return s.Redirect(c, Path(src.Name), web.Flash{Kind: "success", Text: said})
}

func (s *Pages) store(ctx context.Context, by models.Actor, e *editing, checked models.SourceInput) (models.Source, string, error) {
	if e.old == nil {
		return s.Store.Sources.Create(ctx, by, string(e.form.Name), checked)
	}
	at, _ := time.Parse(time.RFC3339Nano, e.form.UpdatedAt) // check has looked at it
	return s.Store.Sources.Update(ctx, by, e.old.Name, at, checked)
}
