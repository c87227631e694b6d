package events

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/relock-project/relock/rotation"
)

const (
	maxSecret  = 1024 // an ARN with the longest name is shorter
	maxToken   = 256  // it is stored in every version, and a version holds 4,096 bytes at Tencent
	maxOnly    = 10_000
	maxMachine = 128
)

// Payload is relock's own event, by itself or inside another one:
//
//	{"action":"rotate","secret":"cvm-admin-prod","only":["ins-1f0c22aa"],"dry_run":true}
//
// Every field but action may be left out; a field that is there has a value: an empty string, an empty list and null are
// refused, because what made them empty may have meant something narrower than all. Unknown fields are refused.
type Payload struct {
	// Action is what to do: rotate, resume, reconcile, verify or plan. It has no default, so that no object of another
	// kind is taken for a request.
	Action string `json:"action"`
	// Secret must be the name of the configured secret.
	Secret string `json:"secret,omitempty"`
	// Only narrows the configured scope to these machines, each named once.
	Only []string `json:"only,omitempty"`
	// DryRun sends nothing and stores nothing. False is the same as absent: it turns nothing off.
	DryRun bool `json:"dry_run,omitempty"`
	// Token names the rotation: a second event with the same token changes nothing, whenever it comes. Inside another
	// event it takes the place of the token that the other one would give. A timer says the same every time, so with
	// a token it rotates once.
	Token string `json:"token,omitempty"`
}

func isPayload(o object) bool { return o.has("action") }

func parsePayload(o object) (rotation.Request, error) {
	var p Payload
	if err := knownOnly(o, &p); err != nil {
		return rotation.Request{}, err
	}
	if err := o.decode(&p); err != nil {
		return rotation.Request{}, err
	}
	if !slices.Contains(rotation.Actions(), rotation.Action(p.Action)) {
		if !o.has("action") {
			return rotation.Request{}, fmt.Errorf("action: not there: write one of %v", rotation.Actions())
		}
		return rotation.Request{}, fmt.Errorf("action: %s: write one of %v", short(p.Action), rotation.Actions())
	}
	if o.has("secret") {
		if err := text("secret", p.Secret, maxSecret); err != nil {
			return rotation.Request{}, err
		}
	}
	if o.has("token") {
		if err := text("token", p.Token, maxToken); err != nil {
			return rotation.Request{}, err
		}
	}
	if o.has("only") {
		if err := machines(p.Only); err != nil {
			return rotation.Request{}, err
		}
	}
	return rotation.Request{
		Action: rotation.Action(p.Action), Secret: p.Secret, Token: p.Token, Only: p.Only, DryRun: p.DryRun,
	}, nil
}

// payloadIn reads the payload that another event carries in field. The remedy says what belongs there.
func payloadIn(field, remedy string, raw []byte) (rotation.Request, error) {
	raw, err := wellFormed(raw)
	if err != nil {
		return rotation.Request{}, fmt.Errorf("%s: %w; %s", field, err, remedy)
	}
	o, err := toObject(raw)
	if err != nil {
		return rotation.Request{}, fmt.Errorf("%s: %w; %s", field, err, remedy)
	}
	req, err := parsePayload(o)
	if err != nil {
		return rotation.Request{}, fmt.Errorf("%s: %w", field, err)
	}
	return req, nil
}

// knownOnly reports the fields of o that the struct that to points at does not have, and those that are null.
func knownOnly(o object, to any) error {
	known := fieldNames(to)
	var unknown []string
	for _, name := range o.names() {
		switch {
		case !slices.Contains(known, name):
			unknown = append(unknown, short(name))
		case string(o[name]) == "null":
			return fmt.Errorf("%s: null: give it a value or leave it out", name)
		}
	}
	const most = 4
	if n := len(unknown); n > most {
		unknown = append(unknown[:most], fmt.Sprintf("%d more", n-most))
	}
	if len(unknown) > 0 {
		return fmt.Errorf("unknown fields (%s): use %s, in lower case",
			strings.Join(unknown, ", "), strings.Join(known, ", "))
	}
	return nil
}

// machines reports what is wrong with a list of machines. A name with white space around it would match no machine, and
// a name that is there twice may stand where another was meant.
func machines(only []string) error {
	if len(only) == 0 {
		return errors.New("only: empty: name a machine, or leave the field out for all of the configured scope")
	}
	if len(only) > maxOnly {
		return fmt.Errorf("only: %d machines: name at most %d", len(only), maxOnly)
	}
	at := make(map[string]int, len(only))
	for i, id := range only {
		if err := text(fmt.Sprintf("only[%d]", i), id, maxMachine); err != nil {
			return err
		}
		if first, ok := at[id]; ok {
			return fmt.Errorf("only[%d]: %s is only[%d] already: name each machine once", i, short(id), first)
		}
		at[id] = i
	}
	return nil
}
