package awssim

import (
	"maps"
	"regexp"
	"slices"
)

// An apiError is an answer of the service that is none of success.
type apiError struct{ code, message string }

func (e *apiError) Error() string { return e.code + ": " + e.message }

func refuse(code, message string) error { return &apiError{code, message} }

// parameters are those of all actions; each reads its own.
type parameters struct {
	SecretId            string
	Name                string
	ClientRequestToken  string
	SecretString        string
	SecretBinary        string
	VersionStages       []string
	VersionStage        string
	VersionId           string
	MoveToVersionId     string
	RemoveFromVersionId string
	RotationToken       string
	IncludeDeprecated   bool
	MaxResults          int
	NextToken           string
}

// actions are what the service does; each is called with Cloud.mu held.
func actions() map[string]func(*Cloud, parameters) (any, error) {
	return map[string]func(*Cloud, parameters) (any, error){
		"CreateSecret":             (*Cloud).createSecret,
		"PutSecretValue":           (*Cloud).putSecretValue,
		"GetSecretValue":           (*Cloud).getSecretValue,
		"DescribeSecret":           (*Cloud).describeSecret,
		"ListSecretVersionIds":     (*Cloud).listSecretVersionIDs,
		"UpdateSecretVersionStage": (*Cloud).updateSecretVersionStage,
		"CancelRotateSecret":       (*Cloud).cancelRotateSecret,
	}
}

// find returns a secret by its name or ARN.
func (c *Cloud) find(id string) (*secret, error) {
	if id == "" {
		return nil, refuse("InvalidParameterException", "SecretId is missing.")
	}
	for _, s := range c.secrets {
		if id == s.name || id == s.arn {
			return s, nil
		}
	}
	return nil, refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

func (s *secret) usable() error {
	if !s.deleted.IsZero() {
		return refuse("InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion.")
	}
	return nil
}

func (c *Cloud) createSecret(p parameters) (any, error) {
	if c.secrets[p.Name] != nil {
		return nil, refuse("ResourceExistsException", "The operation failed because the secret "+p.Name+" already exists.")
	}
	s := &secret{name: p.Name, arn: c.arn(p.Name), versions: map[string]*version{}}
	c.secrets[p.Name] = s
	if p.SecretString != "" {
		id := p.ClientRequestToken
		if id == "" {
			id = c.newID()
		}
		c.create(s, id, p.SecretString, []string{current})
	}
	return map[string]any{"ARN": s.arn, "Name": s.name}, nil
}

var label = regexp.MustCompile(`^.{1,256}$`)

func (c *Cloud) putSecretValue(p parameters) (any, error) {
	s, err := c.find(p.SecretId)
	if err == nil {
		err = s.usable()
	}
	if err != nil {
		return nil, err
	}
	id, stages := p.ClientRequestToken, p.VersionStages
	if id == "" {
		id = c.newID()
	}
	switch {
	case len(id) < 32 || len(id) > 64:
		return nil, refuse("InvalidParameterException", "ClientRequestToken must be 32-64 characters long.")
	case p.SecretString == "" && p.SecretBinary == "":
		return nil, refuse("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
	case len(p.SecretString) > maxValue:
		return nil, refuse("ValidationException", "Value at 'secretString' failed to satisfy constraint: length less than or equal to 65536")
	case p.RotationToken != "" && (len(p.RotationToken) < 36 || len(p.RotationToken) > 256 || id != s.rotating),
		c.cfg.Answers.Proof != "" && id == s.rotating && p.RotationToken != c.cfg.Answers.Proof:
		return nil, refuse("InvalidParameterException", "The rotation token is not valid.")
	case len(stages) > maxLabels || slices.ContainsFunc(stages, func(l string) bool { return !label.MatchString(l) }):
		return nil, refuse("InvalidParameterException", "VersionStages is not valid.")
	}
	if len(stages) == 0 {
		stages = []string{current}
	}
	if v := s.versions[id]; v != nil && v.value != "" {
		if v.value != p.SecretString {
			return nil, refuse("ResourceExistsException", "You can't modify a secret version. A version with this ClientRequestToken exists already.")
		}
		return c.put(s, id), nil // "the operation succeeds but does nothing"
	}
	if s.labels(stages) > maxLabels {
		return nil, refuse("LimitExceededException", "The secret has the maximum number of staging labels.")
	}
	if len(s.versions) > maxVersions && c.cfg.Now().Sub(s.oldest()) < keptFor {
		return nil, refuse("LimitExceededException", "The secret has the maximum number of versions.")
	}
	err = c.write(s, func() error { c.create(s, id, p.SecretString, stages); return nil })
	return c.put(s, id), err
}

func (c *Cloud) put(s *secret, id string) any {
	out := map[string]any{"ARN": s.arn, "Name": s.name, "VersionId": id}
	if v := s.versions[id]; v != nil {
		out["VersionStages"] = v.stages
	}
	return out
}

func (c *Cloud) getSecretValue(p parameters) (any, error) {
	s, err := c.find(p.SecretId)
	if err == nil {
		err = s.usable()
	}
	if err != nil {
		return nil, err
	}
	s = s.view()
	stage := p.VersionStage
	if stage == "" && p.VersionId == "" {
		stage = current
	}
	v := s.versions[p.VersionId]
	if p.VersionId == "" {
		v = s.with(stage)
	}
	if v == nil || stage != "" && !slices.Contains(v.stages, stage) || v.value == "" {
		what := "staging label: " + stage
		if p.VersionId != "" {
			what = "VersionId: " + p.VersionId
		}
		return nil, refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for "+what)
	}
	return map[string]any{
		"ARN": s.arn, "Name": s.name, "VersionId": v.id, "SecretString": v.value, "VersionStages": v.stages,
		"CreatedDate": float64(v.created.UnixMilli()) / 1000,
	}, nil
}

func (c *Cloud) describeSecret(p parameters) (any, error) {
	real, err := c.find(p.SecretId)
	if err != nil {
		return nil, err
	}
	s := real.view()
	stages := map[string][]string{}
	for id, v := range s.versions {
		if len(v.stages) > 0 {
			stages[id] = v.stages
		}
	}
	out := map[string]any{"ARN": s.arn, "Name": s.name, "VersionIdsToStages": stages}
	if s.enabled {
		out["RotationEnabled"] = true
	}
	if !s.deleted.IsZero() {
		out["DeletedDate"] = float64(s.deleted.Unix())
	}
	if len(c.cfg.Replicas) > 0 {
		status, replicas := "InSync", []any{}
		if real.syncing > 0 {
			real.syncing--
			status = "InProgress"
		}
		for _, region := range c.cfg.Replicas {
			replicas = append(replicas, map[string]any{"Region": region, "Status": status})
		}
		out["PrimaryRegion"], out["ReplicationStatus"] = c.cfg.Region, replicas
	}
	return out, nil
}

func (c *Cloud) listSecretVersionIDs(p parameters) (any, error) {
	s, err := c.find(p.SecretId)
	if err != nil {
		return nil, err
	}
	var all []any
	for _, id := range slices.Sorted(maps.Keys(s.versions)) {
		if v := s.versions[id]; len(v.stages) > 0 || p.IncludeDeprecated {
			all = append(all, map[string]any{"VersionId": id, "VersionStages": v.stages})
		}
	}
	return map[string]any{"ARN": s.arn, "Name": s.name, "Versions": all}, nil
}

// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
func (c *Cloud) updateSecretVersionStage(p parameters) (any, error) {
	s, err := c.find(p.SecretId)
	if err == nil {
		err = s.usable()
	}
	if err != nil {
		return nil, err
	}
	if s.syncing > 0 {
		// Two moves in a row can leave a replica behind for ever: the second is what must not be sent.
		return nil, refuse("InvalidRequestException", "The secret's replication is in progress.")
	}
	holder, to := s.with(p.VersionStage), s.versions[p.MoveToVersionId]
	switch {
	case p.VersionStage == "" || p.MoveToVersionId == "" && p.RemoveFromVersionId == "":
		return nil, refuse("InvalidParameterException", "VersionStage and a version are required.")
	case p.MoveToVersionId != "" && to == nil || p.RemoveFromVersionId != "" && s.versions[p.RemoveFromVersionId] == nil:
		return nil, refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret version.")
	case p.RemoveFromVersionId != "" && (holder == nil || holder.id != p.RemoveFromVersionId):
		return nil, refuse("InvalidParameterException", "The staging label "+p.VersionStage+" is currently not attached to version "+p.RemoveFromVersionId+".")
	case p.RemoveFromVersionId == "" && holder != nil && holder != to:
		return nil, refuse("InvalidParameterException", "The parameter RemoveFromVersionId can't be empty. Staging label "+p.VersionStage+" is currently attached to version "+holder.id+", so you must explicitly reference that version in RemoveFromVersionId.")
	case to == nil && p.VersionStage == current:
		return nil, refuse("InvalidParameterException", "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.")
	case to != nil && s.labels([]string{p.VersionStage}) > maxLabels:
		return nil, refuse("LimitExceededException", "The secret has the maximum number of staging labels.")
	}
	err = c.write(s, func() error {
		if to != nil {
			c.attach(s, to, p.VersionStage)
		} else {
			holder.drop(p.VersionStage)
		}
		return nil
	})
	return map[string]any{"ARN": s.arn, "Name": s.name}, err
}

func (c *Cloud) cancelRotateSecret(p parameters) (any, error) {
	s, err := c.find(p.SecretId)
	if err != nil {
		return nil, err
	}
	s.enabled, s.rotating = false, ""
	return map[string]any{"ARN": s.arn, "Name": s.name}, nil
}
