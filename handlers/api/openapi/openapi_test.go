package openapi_test

import (
	"encoding/json"
	"regexp"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/sitehooks/sitehooks/handlers/api/management"
	"github.com/sitehooks/sitehooks/handlers/api/openapi"
)

func TestTheDescriptionIsValid(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(openapi.Build("1.2.3"))
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
}

// Each operation of the table is in the description, with all its statuses.
func TestTheDescriptionHasAllOperations(t *testing.T) {
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string
			Responses   map[string]any
		}
	}
	if err := json.Unmarshal(openapi.Build("1.2.3"), &doc); err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for path, item := range doc.Paths {
		if !regexp.MustCompile(`^/api/v1/[a-z/{}]+$`).MatchString(path) {
			t.Errorf("path %s", path)
		}
		for _, op := range item {
			found[op.OperationID] = len(op.Responses)
		}
	}
	for _, route := range management.Table() {
		if want := 1 + len(route.Faults) + len(management.Common); found[route.Name] < want-1 {
			t.Errorf("%s has %d of %d answers", route.Name, found[route.Name], want)
		}
	}
	if len(found) != len(management.Table())+3 || found["postEvents"] == 0 || found["getCursor"] == 0 || found["putCursor"] == 0 {
		t.Errorf("%d operations", len(found))
	}
}
