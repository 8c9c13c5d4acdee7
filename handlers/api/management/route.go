package management

import (
	"net/http"

	"github.com/sitehooks/sitehooks/models"
)

// Route is one operation of the API.
type Route struct {
	Method string
	Path   string // below Prefix; a part with a colon is a parameter
	Name   string // unique, such as listWebhooks
	Scope  string // that the token needs
	// Purpose names the operation in the refusal of a token without the scope.
	Purpose string
	Summary string // a sentence
	// Query, Body and Output are empty structs for the parameters of the query,
	// the body of the request and that of the answer; nil: there is none.
	Query, Body, Output any
	// Dry is the output of a dry run; nil: there is none.
	Dry any
	// Status is that of a success; Faults are the others that the operation
	// itself may answer. Those that every request may get are in Common.
	Status int
	Faults []int
	// Tagged operations answer with an ETag. Those that change something look at
	// If-Match and If-None-Match.
	Tagged bool

	do func(*API, *call) (answer, error)
}

// Common are the statuses that every operation may answer with.
var Common = []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable}

const (
	get    = http.MethodGet
	post   = http.MethodPost
	put    = http.MethodPut
	patch  = http.MethodPatch
	remove = http.MethodDelete

	read   = models.ScopeRead
	manage = models.ScopeManage

	ok       = http.StatusOK
	created  = http.StatusCreated
	accepted = http.StatusAccepted
	noBody   = http.StatusNoContent

	missing       = http.StatusNotFound
	conflict      = http.StatusConflict
	changed       = http.StatusPreconditionFailed
	tooLarge      = http.StatusRequestEntityTooLarge
	wrongType     = http.StatusUnsupportedMediaType
	unprocessable = http.StatusUnprocessableEntity
)

const (
	reading  = "reading"
	managing = "managing webhooks"
)

// saveFaults are those of an operation that saves what is in its body.
var saveFaults = []int{missing, conflict, changed, tooLarge, wrongType, unprocessable}

// Table lists all operations.
func Table() []Route {
	return []Route{
		{get, "/webhooks", "listWebhooks", read, reading, "List webhooks in the order in which they were created.", WebhookFilter{}, nil, Page[Webhook]{}, nil, ok, nil, false, (*API).listWebhooks},
		{post, "/webhooks", "createWebhook", manage, managing, "Create a webhook.", nil, WebhookInput{}, SavedWebhook{}, nil, created, saveFaults, true, (*API).createWebhook},
		{get, "/webhooks/:webhook", "getWebhook", read, reading, "Get a webhook by its number or key.", nil, nil, Webhook{}, nil, ok, []int{missing}, true, (*API).getWebhook},
		{put, "/webhooks/:webhook", "putWebhook", manage, managing, "Replace a webhook, or create one with this key.", DryRun{}, WebhookInput{}, SavedWebhook{}, Changes{}, ok, append([]int{created}, saveFaults...), true, (*API).putWebhook},
		{patch, "/webhooks/:webhook", "patchWebhook", manage, managing, "Change the fields that are given.", DryRun{}, WebhookInput{}, SavedWebhook{}, Changes{}, ok, saveFaults, true, (*API).patchWebhook},
		{remove, "/webhooks/:webhook", "deleteWebhook", manage, managing, "Delete a webhook and drop what waits for it. Its history stays.", nil, nil, nil, nil, noBody, []int{missing, changed}, true, (*API).deleteWebhook},
		{post, "/webhooks/:webhook/pause", "pauseWebhook", manage, managing, "Pause a webhook. Its notifications are held from then on.", nil, nil, Webhook{}, nil, ok, []int{missing, changed}, true, (*API).pauseWebhook},
		{post, "/webhooks/:webhook/resume", "resumeWebhook", manage, managing, "Resume a paused or broken webhook, and send or drop what was held.", nil, ResumeInput{}, Resumed{}, nil, ok, []int{missing, changed, tooLarge, wrongType, unprocessable}, true, (*API).resumeWebhook},
		{post, "/webhooks/:webhook/test", "testWebhook", manage, managing, "Send the test notification. It is not recorded.", nil, nil, TestResult{}, nil, ok, []int{missing, conflict}, false, (*API).testWebhook},

		{get, "/deliveries", "listDeliveries", read, reading, "List deliveries, the newest first.", DeliveryFilter{}, nil, Page[Delivery]{}, nil, ok, nil, false, (*API).listDeliveries},
		{get, "/deliveries/:delivery", "getDelivery", read, reading, "Get a delivery with its attempts.", nil, nil, DeliveryDetail{}, nil, ok, []int{missing}, false, (*API).getDelivery},
		{post, "/deliveries/:delivery/resend", "resendDelivery", manage, "resending", "Send a delivery once more, with the same id and body.", nil, nil, Delivery{}, nil, accepted, []int{missing, conflict}, false, (*API).resendDelivery},
		{post, "/deliveries/resend", "resendDeliveries", manage, "resending", "Send all deliveries that match once more.", DryRun{}, ResendInput{}, Resent{}, Resent{}, accepted, []int{ok, tooLarge, wrongType, unprocessable}, false, (*API).resendDeliveries},

		{get, "/events", "listEvents", read, reading, "List events, the newest first, or find one by the sender's id.", EventFilter{}, nil, Page[Event]{}, nil, ok, nil, false, (*API).listEvents},
		{get, "/events/:event", "getEvent", read, reading, "Get an event by its number, with the reason for every webhook of its location.", nil, nil, EventDetail{}, nil, ok, []int{missing}, false, (*API).getEvent},

		{get, "/sources", "listSources", read, reading, "List sources in the order of their names.", SourceFilter{}, nil, Page[Source]{}, nil, ok, nil, false, (*API).listSources},
		{post, "/sources", "createSource", manage, "managing sources", "Add a source.", nil, SourceInput{}, SavedSource{}, nil, created, saveFaults, true, (*API).createSource},
		{get, "/sources/:name", "getSource", read, reading, "Get a source.", nil, nil, Source{}, nil, ok, []int{missing}, true, (*API).getSource},
		{put, "/sources/:name", "putSource", manage, "managing sources", "Replace a source, or add one of this name.", DryRun{}, SourceInput{}, SavedSource{}, Changes{}, ok, append([]int{created}, saveFaults...), true, (*API).putSource},
		{remove, "/sources/:name", "deleteSource", manage, "managing sources", "Delete a source. The events that it reported stay.", nil, nil, nil, nil, noBody, []int{missing, changed}, true, (*API).deleteSource},

		{get, "/settings", "listSettings", read, reading, "List the site settings.", nil, nil, Page[Setting]{}, nil, ok, nil, false, (*API).listSettings},
		{get, "/settings/:setting", "getSetting", read, reading, "Get a site setting.", nil, nil, Setting{}, nil, ok, []int{missing}, true, (*API).getSetting},
		{put, "/settings/:setting", "putSetting", manage, "changing settings", "Change a site setting.", DryRun{}, SettingInput{}, Setting{}, Changes{}, ok, []int{missing, changed, tooLarge, wrongType, unprocessable}, true, (*API).putSetting},

		{get, "/locations", "listLocations", read, reading, "List locations with their communities, in the order of their slugs.", LocationFilter{}, nil, Page[Location]{}, nil, ok, nil, false, (*API).listLocations},
		{put, "/locations/:location", "putLocation", manage, "changing locations", "Describe a location and its communities, or add it before its first event.", DryRun{}, LocationInput{}, Location{}, Changes{}, ok, []int{created, missing, changed, tooLarge, wrongType, unprocessable}, true, (*API).putLocation},
	}
}
