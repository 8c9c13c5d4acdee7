package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gin-gonic/gin/binding"

	"github.com/sitehooks/sitehooks/handlers/notices"
	"github.com/sitehooks/sitehooks/handlers/passwords"
	"github.com/sitehooks/sitehooks/handlers/rules"
)

func init() {
	rules.Add(map[string]func(value string) bool{
		"moment": func(value string) bool { return readTime(value, new(time.Time)) },
		"notice": notices.IsKey,
		"number": func(value string) bool { _, is := Positive(value); return is },
	})
	rules.Alias("password", fmt.Sprintf("min=%d,bytes=%d", passwords.Min, passwords.Max))
}

// Line is the input of a field of one line, without spaces around it.
type Line string

// UnmarshalParam removes the spaces around the text. It never fails.
func (l *Line) UnmarshalParam(typed string) error {
	*l = Line(strings.TrimSpace(typed))
	return nil
}

// Text is the input of a field of several lines, without spaces around it.
// Lines end with \n; browsers send \r\n.
type Text string

// UnmarshalParam removes the spaces around the text and the \r of its line
// ends. It never fails.
func (t *Text) UnmarshalParam(typed string) error {
	*t = Text(strings.TrimSpace(strings.ReplaceAll(typed, "\r\n", "\n")))
	return nil
}

// Number is a whole number; -1 stands for input that is not one.
type Number int64

// UnmarshalParam reads a decimal number and stores -1 for any other text. It
// never fails.
func (n *Number) UnmarshalParam(typed string) error {
	*n = -1
	if value, err := strconv.ParseInt(typed, 10, 64); err == nil {
		*n = Number(value)
	}
	return nil
}

// Bind reads the form that a member posted into a struct: its form tags name
// the fields, its binding tags have the rules for their values. Unknown fields
// are ignored; of a field that was sent twice the first counts, unless it is a
// list. Without faults the form may be stored. The error is for Fail: the form
// could not be read.
func Bind(c *gin.Context, form any) (Faults, error) {
	if err := ParseForm(c); err != nil {
		return nil, err
	}
	return checkForm(c, form)
}

// checkForm fills a form with the fields that were read, and checks them.
func checkForm(c *gin.Context, form any) (Faults, error) {
	list, err := rules.Faults(c.ShouldBindWith(form, binding.FormPost))
	faults := Faults{}
	for _, broken := range list {
		faults.Add(broken.Field, broken.Text)
	}
	return faults, err
}

// BindOrRefuse is Bind for forms that show no fault beside a field: the error
// is then the 422 with the first sentence. A page that is asked for takes its
// fields from the address.
func BindOrRefuse(c *gin.Context, form any) error {
	from := binding.Query
	if c.Request.Method == http.MethodPost {
		if err := ParseForm(c); err != nil {
			return err
		}
		from = binding.FormPost
	}
	list, err := rules.Faults(c.ShouldBindWith(form, from))
	if err == nil && len(list) > 0 {
		return Unusable(list[0].Text)
	}
	return err
}

// BindOpen reads a form that needs no session, see ParseOpenForm. Its content
// is not checked: any text that is not the password is answered as a wrong
// password.
func (s *Site) BindOpen(c *gin.Context, most int64, form any) error {
	if err := s.ParseOpenForm(c, most); err != nil {
		return err
	}
	return c.ShouldBindWith(form, binding.FormPost)
}

// BindOpenChecked is Bind for a form that needs no session.
func (s *Site) BindOpenChecked(c *gin.Context, form any) (Faults, error) {
	if err := s.ParseOpenForm(c, OpenFormLimit); err != nil {
		return nil, err
	}
	return checkForm(c, form)
}

// Refill fills a form with the unsaved input from before a new login; false:
// there is none.
func (s *Site) Refill(c *gin.Context, form any) (bool, error) {
	typed, err := s.TypedBefore(c)
	if err != nil || typed == nil {
		return false, err
	}
	return true, Fill(form, typed)
}

// Fill fills a form with fields that were read before, without checking them.
func Fill(form any, typed url.Values) error { return binding.MapFormWithTag(form, typed, "form") }

// ParseForm reads a posted form of a member, which may not be larger than
// formLimit.
func ParseForm(c *gin.Context) error {
	return Untimed(c.Request.Context(), func() error { return readForm(c, formLimit) })
}

func readForm(c *gin.Context, most int64) error {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, most)
	if err := c.Request.ParseForm(); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return err
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return &StatusError{http.StatusRequestTimeout, "This form took too long to arrive. Try again."}
		}
		return &StatusError{http.StatusBadRequest, "This form could not be read."}
	}
	return nil
}
