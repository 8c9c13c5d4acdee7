package admin

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

// memberLocations is the part of a form that says which locations a member
// sees: all of them, or only those that are ticked.
type memberLocations struct {
	Limited string `form:"limited" binding:"omitempty,oneof=yes no"` // empty: no
	// Locations are slugs, or where there are too many to list, what was typed:
	// slugs or names, one a line.
	Locations []string     `form:"locations"`
	Choices   []web.Choice `form:"-"` // to tick; none: they are too many
	Faults    web.Faults   `form:"-"`
}

// locationsOf are the locations that a member sees now.
func locationsOf(user models.User) memberLocations {
	l := memberLocations{Limited: "no"}
	if user.Limited {
		l.Limited, l.Locations = "yes", user.Locations
	}
	return l
}

// Typed are the locations in a text field.
func (l *memberLocations) Typed() string { return strings.Join(l.Locations, "\n") }

// offerLocations fills in the locations to choose from.
func (s *Pages) offerLocations(c *gin.Context, l *memberLocations) error {
	picker, err := s.LocationPicker(c, "locations", "")
	if err != nil {
		return err
	}
	l.Choices = picker.Choices()
	for i, one := range l.Choices {
		l.Choices[i].Chosen = slices.Contains(l.Locations, one.Value)
	}
	names, err := s.LocationNames(c, l.Locations...)
	for _, slug := range l.Locations {
		if len(l.Choices) > 0 && !slices.ContainsFunc(l.Choices, func(one web.Choice) bool { return one.Value == slug }) {
			l.Choices = append(l.Choices, web.Choice{Value: slug, Label: web.OrNone(names[slug], slug), Chosen: true}) // hidden, or removed
		}
	}
	return err
}

// chosenLocations is the set that the form describes; was is what the member
// saw before. Faults are in the form.
func (s *Pages) chosenLocations(c *gin.Context, l *memberLocations, was []string) (models.LocationSet, error) {
	if l.Faults == nil {
		l.Faults = web.Faults{}
	}
	var slugs []string
	ctx, directory := c.Request.Context(), s.Directory(c)
	for line := range strings.Lines(strings.Join(l.Locations, "\n")) {
		typed := strings.TrimSpace(line)
		if typed == "" {
			continue
		}
		if slices.Contains(was, typed) { // also one that was removed
			slugs = append(slugs, typed)
			continue
		}
		slug, fault, err := directory.FilterLocation(ctx, typed)
		if err != nil {
			return models.LocationSet{}, err
		}
		if fault != "" {
			l.Faults.Add("locations", fault)
		}
		slugs = append(slugs, slug)
	}
	slices.Sort(slugs)
	l.Locations = slices.Compact(slugs)
	switch {
	case l.Limited != "yes" && len(l.Locations) > 0 && !slices.Equal(l.Locations, was):
		l.Faults.Add("locations", "You chose all locations and also named some. Choose “Only these locations”, or name none.")
	case l.Limited == "yes" && len(l.Locations) == 0:
		l.Faults.Add("locations", "Choose at least one location. To keep a member out, disable the account.")
	case l.Limited == "yes":
		return models.OnlyLocations(l.Locations...), nil
	}
	return models.AllLocations(), nil
}

// MemberLocations limits a member to locations, or lets them see all. Before
// tokens of theirs that reach further stay in force, it asks.
func (s *Pages) MemberLocations(c *gin.Context) error {
	var form struct {
		revokeForm
		memberLocations
		Submitted bool `form:"asked"`
	}
	faults, err := web.Bind(c, &form)
	if err != nil {
		return err
	}
	form.Faults = faults
	user, err := s.memberFromRequest(c)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	set, err := s.chosenLocations(c, &form.memberLocations, user.Locations)
	if err != nil {
		return err
	}
	if len(form.Faults) > 0 {
		return s.showMember(c, http.StatusUnprocessableEntity, &memberPage{Member: user, Sees: form.memberLocations})
	}
	if !form.Submitted {
		further, err := s.tokensBeyond(ctx, user.ID, set)
		if err != nil {
			return err
		}
		if len(further) > 0 {
			return s.confirmLimit(c, user, form.memberLocations, further)
		}
	}
	user, err = s.Store.Users.Limit(ctx, web.ActorOf(c), user.ID, set, form.tokens()...)
	if errors.Is(err, models.ErrLastAdministrator) {
		form.Faults.Add("locations", lastAdministrator)
		return s.showMember(c, http.StatusUnprocessableEntity, &memberPage{Member: user, Sees: form.memberLocations})
	}
	if err != nil {
		return err
	}
	said, err := s.seesWords(c, user)
	if err != nil {
		return err
	}
	return s.Redirect(c, membersPath, web.Flash{Kind: "success", Text: user.Name + " now sees " + said + "."})
}

// tokensBeyond are the tokens that a member created and that reach locations
// outside the set.
func (s *Pages) tokensBeyond(ctx context.Context, member int64, set models.LocationSet) ([]models.Token, error) {
	tokens, err := s.Store.Tokens.OfMaker(ctx, member)
	return slices.DeleteFunc(tokens, func(tok models.Token) bool {
		return set.All() || tok.Location != "" && set.Has(tok.Location)
	}), err
}

// confirmLimit asks which of the tokens that reach further to revoke.
func (s *Pages) confirmLimit(c *gin.Context, user models.User, to memberLocations, further []models.Token) error {
	p := &web.ConfirmPage{
		Page:  web.Page{Title: "Limit " + user.Name + "?", Nav: "members"},
		Crumb: user.Name, CrumbPath: MemberPath(user.ID), Action: MemberPath(user.ID) + "/locations", Button: "Limit " + user.Email,
		Fields: []web.ConfirmField{{Name: "limited", Value: to.Limited}, {Name: "asked", Value: "true"}},
		Back:   MemberPath(user.ID),
		Lines:  []string{"They created API tokens that also work for other locations."},
	}
	for _, slug := range to.Locations {
		p.Fields = append(p.Fields, web.ConfirmField{Name: "locations", Value: slug})
	}
	if err := s.offerTokens(c, p, further, true); err != nil {
		return err
	}
	return s.Confirm(c, p)
}

// seesWords are the locations that a member sees, in words.
func (s *Pages) seesWords(c *gin.Context, user models.User) (string, error) {
	if !user.Limited {
		return "all locations", nil
	}
	names, err := s.LocationNames(c, user.Locations...)
	return limitedWords(names, user), err
}

// locationsNamed is how many locations of a member are named in a line.
const locationsNamed = 3

// limitedWords are the locations to which a member is limited, in words.
func limitedWords(names web.LocationNames, user models.User) string {
	var named []string
	for _, slug := range user.Locations[:min(len(user.Locations), locationsNamed)] {
		named = append(named, names.Of(slug))
	}
	if more := len(user.Locations) - locationsNamed; more > 0 {
		named = append(named, wording.Count(int64(more))+" more")
	}
	return wording.List(named)
}
