package management

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/rules"
	"github.com/sitehooks/sitehooks/models"
)

// Location is the main site or one Private Team.
type Location struct {
	Slug        string      `json:"slug"`
	Name        string      `json:"name"`
	Description string      `json:"description"`
	Kind        string      `json:"kind" enum:"main_site,private_team"`
	Hidden      bool        `json:"hidden" doc:"It is not offered in the forms of the console"`
	Communities []Community `json:"communities"`
}

// Community is a further mark on events of a location.
type Community struct {
	Slug        string `json:"slug" binding:"required,slug"`
	Name        string `json:"name" binding:"name"`
	Description string `json:"description" binding:"text"`
	Hidden      bool   `json:"hidden" doc:"It is not offered in the forms of the console"`
}

// LocationInput describes a location. Absent fields keep their values.
type LocationInput struct {
	Name        Optional[string]      `json:"name"`
	Description Optional[string]      `json:"description" null:"true"`
	Kind        Optional[string]      `json:"kind" enum:"main_site,private_team"`
	Hidden      Optional[bool]        `json:"hidden" null:"true" doc:"Whether the console leaves it out of its forms; the location main is always offered"`
	Communities Optional[[]Community] `json:"communities" null:"true" doc:"Those that are described or added; others stay"`
}

// LocationFilter selects a page of locations.
type LocationFilter struct {
	Limit  Count  `form:"limit" binding:"omitempty,gte=1,lte=200" doc:"How many to list, 50 when absent"`
	Cursor string `form:"cursor" binding:"omitempty,slug" doc:"next of the page before"`
}

func locationOf(l models.LocationState) Location {
	v := Location{
		Slug: l.Location.Slug, Name: l.Location.Name, Description: l.Location.Description,
		Kind: l.Location.Kind(), Hidden: l.Location.Hidden, Communities: []Community{},
	}
	for _, one := range l.Communities {
		v.Communities = append(v.Communities, Community{one.Slug, one.Name, one.Description, one.Hidden})
	}
	return v
}

func (a *API) listLocations(c *call) (answer, error) {
	var in LocationFilter
	if err := c.query(&in); err != nil {
		return answer{}, err
	}
	limit := paging{Limit: in.Limit}.limit()
	rows, err := a.store.Locations.States(c.ctx, c.token.Within(), in.Cursor, limit+1)
	if err != nil {
		return answer{}, err
	}
	list := Page[Location]{Data: []Location{}}
	if len(rows) > limit {
		rows = rows[:limit]
		list.Next = &rows[limit-1].Location.Slug
	}
	for _, row := range rows {
		list.Data = append(list.Data, locationOf(row))
	}
	return answer{status: ok, value: list}, nil
}

// putLocation describes a location, or adds it before its first event. Like an
// administrator of some locations, a token for one changes none: it may only ask
// for what would change nothing.
func (a *API) putLocation(c *call) (answer, error) {
	var in LocationInput
	var dry DryRun
	if err := c.query(&dry); err != nil {
		return answer{}, err
	}
	slug := c.param("location")
	if !c.token.Within().Has(slug) {
		return answer{}, notFound("location") // whether there is one or not
	}
	if err := c.bind(&in, Location{}); err != nil {
		return answer{}, err
	}
	old, err := a.store.Locations.State(c.ctx, slug)
	if err != nil {
		return answer{}, err
	}
	tag := tagOf(locationOf(old))
	if old.New {
		tag = ""
	}
	if err := c.unchanged(tag); err != nil {
		return answer{}, err
	}
	next, changed, err := in.over(old)
	switch {
	case err != nil:
		return answer{}, err
	case !c.token.Within().All() && (old.New || len(changed) > 0):
		return answer{}, forbidden("", "The token is for the location "+c.token.Location+" only, and changing a location needs a token for all locations.")
	case dry.DryRun == "true":
		return answer{status: ok, value: Changes{Creates: old.New, Changes: changed}}, nil
	case len(changed) == 0 && !old.New:
		return answer{status: ok, value: locationOf(old), tag: tag}, nil
	}
	err = a.store.Locations.Replace(c.storing(), c.by(), old, next)
	if _, late := errors.AsType[*models.ConflictError](err); late {
		return answer{}, errChanged
	}
	if err != nil {
		return answer{}, err
	}
	status := ok
	if old.New {
		status = created
	}
	if next, err = a.store.Locations.State(c.storing(), slug); err != nil {
		return answer{}, err
	}
	v := locationOf(next)
	return answer{status: status, value: v, tag: tagOf(v)}, nil
}

// described is what the rules say about a location.
type described struct {
	Slug        string `json:"slug" binding:"slug"`
	Name        string `json:"name" binding:"required,name"`
	Description string `json:"description" binding:"text"`
	Kind        string `json:"kind" binding:"oneof=main_site private_team"`
}

// over is the location as the input wants it, and the fields that differ.
func (in *LocationInput) over(old models.LocationState) (models.LocationState, []string, error) {
	next := models.LocationState{Location: old.Location}
	kind, changed := old.Location.Kind(), []string{}
	for _, field := range []struct {
		name string
		in   *Optional[string]
		into *string
	}{
		{"name", &in.Name, &next.Location.Name},
		{"description", &in.Description, &next.Location.Description},
		{"kind", &in.Kind, &kind},
	} {
		before := *field.into
		if field.in.Given {
			*field.into = strings.TrimSpace(field.in.Value)
		}
		if *field.into != before || old.New && *field.into != "" {
			changed = append(changed, field.name)
		}
	}
	if kind != next.Location.Kind() {
		next.Location.MainSite = kind == models.KindMainSite
	}
	if in.Hidden.Set() && in.Hidden.Value != next.Location.Hidden {
		next.Location.Hidden, changed = in.Hidden.Value, append(changed, "hidden")
	}
	var faults api.Faults
	for _, one := range rules.Check(described{next.Location.Slug, next.Location.Name, next.Location.Description, kind}) {
		faults.Whole(one.Field, "%s", one.Text)
	}
	if field, fault := rules.MainSiteStays(next.Location.Slug, kind, next.Location.Hidden); fault != "" && len(faults) == 0 {
		faults.Whole(field, "%s", fault)
	}
	known := map[string]models.Community{}
	for _, one := range old.Communities {
		known[one.Slug] = one
	}
	given := map[string]bool{}
	for i, one := range in.Communities.Value {
		one.Name, one.Description = strings.TrimSpace(one.Name), strings.TrimSpace(one.Description)
		if given[one.Slug] {
			faults.Whole(fmt.Sprintf("communities[%d].slug", i), "This community is in the list already.")
		}
		given[one.Slug] = true
		for _, fault := range rules.Check(one) {
			faults.Whole(fmt.Sprintf("communities[%d].%s", i, fault.Field), "%s", fault.Text)
		}
		was, is := known[one.Slug]
		if is && was.Name == one.Name && was.Description == one.Description && was.Hidden == one.Hidden {
			continue
		}
		known[one.Slug] = models.Community{Location: next.Location.Slug, Slug: one.Slug, Name: one.Name, Description: one.Description, Hidden: one.Hidden}
		next.Communities = append(next.Communities, known[one.Slug])
	}
	if len(known) > models.MaxLocationCommunities && len(next.Communities) > 0 {
		faults.Whole("communities", "A location can have up to %d communities.", models.MaxLocationCommunities)
	}
	if len(next.Communities) > 0 {
		changed = append(changed, "communities")
	}
	if len(faults) > 0 {
		return next, nil, &problem{status: unprocessable, reason: api.ReasonInvalid, faults: faults}
	}
	return next, changed, nil
}
