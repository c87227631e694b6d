package events

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/relock-project/relock/rotation"
)

// HuaweiSMN is what the notification service of Huawei Cloud sends to a function: one message.
//
// https://support.huaweicloud.com/intl/en-us/devg-functiongraph/functiongraph_02_0102.html.
type HuaweiSMN struct {
	// Record has one element.
	Record       []HuaweiSMNRecord `json:"record"`
	FunctionName json.RawMessage   `json:"functionname,omitempty"`
	RequestID    json.RawMessage   `json:"requestId,omitempty"`
	Timestamp    json.RawMessage   `json:"timestamp,omitempty"`
}

// HuaweiSMNRecord is one message and where it came from.
type HuaweiSMNRecord struct {
	EventVersion         json.RawMessage `json:"event_version,omitempty"`
	EventSubscriptionURN json.RawMessage `json:"event_subscription_urn,omitempty"`
	// EventSource is "smn".
	EventSource string           `json:"event_source"`
	SMN         HuaweiSMNMessage `json:"smn"`
}

// HuaweiSMNMessage is the message.
type HuaweiSMNMessage struct {
	TopicURN json.RawMessage `json:"topic_urn,omitempty"`
	// Timestamp is when it was published.
	Timestamp         string          `json:"timestamp"`
	MessageAttributes json.RawMessage `json:"message_attributes,omitempty"`
	// Message is relock's own payload, or what CSMS tells of a secret.
	Message string `json:"message"`
	// Type is "notification".
	Type string `json:"type"`
	// MessageID is the request's token.
	MessageID string          `json:"message_id"`
	Subject   json.RawMessage `json:"subject,omitempty"`
}

// HuaweiSecretEvent is what CSMS tells of a secret. The documents do not show it; the names are those of the record that
// CSMS keeps of a notification: https://support.huaweicloud.com/intl/en-us/api-dew/ListNotificationRecords.html.
type HuaweiSecretEvent struct {
	// TriggerEventType is what happened.
	TriggerEventType string `json:"trigger_event_type"`
	// SecretName must be the configured secret.
	SecretName string `json:"secret_name"`
}

// What CSMS tells: https://support.huaweicloud.com/intl/en-us/api-dew/CreateSecretEvent.html.
const (
	versionExpired = "SECRET_VERSION_EXPIRED"
	versionCreated = "SECRET_VERSION_CREATED"
)

func isHuaweiSMN(o object) bool { return o.has("record") }

func parseHuaweiSMN(o object) (rotation.Request, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(o["record"], &list); err != nil || len(list) != 1 {
		return rotation.Request{}, fmt.Errorf("record: write a list of one message")
	}
	record, err := toObject(list[0])
	if err != nil {
		return rotation.Request{}, fmt.Errorf("record[0]: %w", err)
	}
	var r HuaweiSMNRecord
	if err := json.Unmarshal(record["event_source"], &r.EventSource); err != nil || r.EventSource != "smn" {
		return rotation.Request{}, fmt.Errorf(`record[0]: event_source: %s: only "smn" is known`, short(r.EventSource))
	}
	smn, err := toObject(record["smn"])
	if err != nil {
		return rotation.Request{}, fmt.Errorf("record[0]: smn: %w", err)
	}
	if err := smn.decode(&r.SMN); err != nil {
		return rotation.Request{}, fmt.Errorf("record[0]: smn: %w", err)
	}
	return r.SMN.request()
}

func (m HuaweiSMNMessage) request() (rotation.Request, error) {
	const remedy = `publish relock's own payload, such as {"action":"resume"}, or let CSMS notify of ` + versionExpired
	if !strings.EqualFold(m.Type, "notification") {
		return rotation.Request{}, fmt.Errorf(`type: %s: only "notification" is known`, short(m.Type))
	}
	if err := text("message_id", m.MessageID, maxToken/2); err != nil {
		return rotation.Request{}, err
	}
	published, err := rfc3339("timestamp", m.Timestamp)
	if err != nil {
		return rotation.Request{}, err
	}
	raw, err := wellFormed([]byte(m.Message))
	if err != nil {
		return rotation.Request{}, fmt.Errorf("message: %w; %s", err, remedy)
	}
	o, err := toObject(raw)
	if err != nil {
		return rotation.Request{}, fmt.Errorf("message: %w; %s", err, remedy)
	}
	var req rotation.Request
	if isPayload(o) {
		req, err = parsePayload(o)
	} else {
		req, err = parseSecretEvent(o)
	}
	if err != nil {
		return rotation.Request{}, fmt.Errorf("message: %w; %s", err, remedy)
	}
	req.Time = published
	if req.Token == "" {
		req.Token = "smn:" + m.MessageID
	}
	return req, nil
}

// parseSecretEvent takes the two names in either spelling. That a version was made is relock's own doing: taken for a
// request, a rotation would cause the next.
func parseSecretEvent(o object) (rotation.Request, error) {
	either := func(names ...string) (found string, err error) {
		for _, name := range names {
			if !o.has(name) {
				continue
			}
			if found != "" {
				return "", fmt.Errorf("%s is there in two spellings", names[0])
			}
			if err := json.Unmarshal(o[name], &found); err != nil || found == "" {
				return "", fmt.Errorf("%s: of the wrong type or empty: write a string", name)
			}
		}
		return found, nil
	}
	var e HuaweiSecretEvent
	var err error
	if e.TriggerEventType, err = either("trigger_event_type", "triggerEventType", "event_type", "eventType"); err != nil {
		return rotation.Request{}, err
	}
	if e.SecretName, err = either("secret_name", "secretName"); err != nil {
		return rotation.Request{}, err
	}
	if e.SecretName != "" {
		if err := text("secret_name", e.SecretName, maxSecret); err != nil {
			return rotation.Request{}, err
		}
	}
	req := rotation.Request{Action: rotation.Rotate, Secret: e.SecretName}
	switch e.TriggerEventType {
	case versionExpired:
		return req, nil
	case versionCreated:
		req.Ignored = versionCreated + ": relock makes versions itself"
		return req, nil
	}
	return rotation.Request{}, fmt.Errorf("trigger_event_type: %s is nothing to act on", short(e.TriggerEventType))
}
