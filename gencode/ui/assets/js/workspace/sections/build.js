// Sections of what is built: blueprints and what belongs to their projects.

import { size, t } from "../../words.js";
import { blueprintsView } from "../blueprints/section.js";
import { deploymentDetail } from "../deployment.js";
import { showAgain } from "../resource.js";
import { projectDetail } from "../teams.js";
import { templateSetDetail } from "../template_set.js";
import { uploadedSet } from "../upload.js";
import { NAME } from "./fields.js";

export const BUILD = [
  { name: "blueprints", title: "blueprints", show: blueprintsView },
  {
    name: "projects",
    title: "projects",
    lead: "projectsLead",
    path: "projects",
    note: (row) => [row.code, t("visibilities")[row.visibility], t("projectStates")[row.status]].filter(Boolean).join(" · "),
    actions: [
      { name: "archive", label: "archive", when: (row) => row.status === "active", told: showAgain },
      { name: "unarchive", label: "unarchive", when: (row) => row.status === "archived", told: showAgain },
    ],
    fields: [
      NAME,
      { name: "code", label: "code", hint: "codeHint", required: true },
      { name: "team_id", label: "team", hint: "teamHint", type: "row", of: "teams", optional: true, onlyNew: true },
      {
        name: "visibility",
        label: "visibility",
        type: "choice",
        options: ["private", "team", "public"],
        names: "visibilities",
        initial: "private",
      },
      {
        name: "project_type",
        label: "projectType",
        type: "choice",
        options: ["web", "mobile", "desktop"],
        names: "projectTypes",
        initial: "web",
      },
      { name: "description", label: "description", type: "long", rows: 4, optional: true },
    ],
    detail: projectDetail,
  },
  {
    name: "template-sets",
    title: "templateSets",
    lead: "templateSetsLead",
    path: "templates",
    upload: "templates/upload",
    uploads: uploadedSet,
    isUploaded: true,
    isFixed: (row) => row.is_official,
    note: (row) =>
      [
        `${row.code} ${row.version_tag}`,
        row.framework,
        t("proofStates")[row.status],
        row.is_official ? t("ofTheService") : row.is_public && t("isPublic"),
        t("fileCount", row.files),
        size(row.bytes),
      ]
        .filter(Boolean)
        .join(" · "),
    actions: [
      { name: "prove", label: "prove", when: (row) => !row.is_official, told: showAgain },
      { name: "publish", label: "shareSet", when: (row) => row.status === "proven" && !row.is_public, told: showAgain },
    ],
    fields: [
      NAME,
      { name: "framework", label: "framework", hint: "frameworkHint" },
      { name: "category", label: "category" },
      { name: "description", label: "description", type: "long", rows: 2 },
      { name: "tags", label: "tags", hint: "tagsHint", type: "tags", initial: [] },
    ],
    detail: templateSetDetail,
  },
  {
    name: "deployments",
    title: "deployments",
    lead: "deploymentsLead",
    path: "deployments",
    note: (row) =>
      [row.env_name, row.config_data.domain, t("deploymentStates")[row.status], row.deployed_version, t("secretCount", row.secrets.length)]
        .filter(Boolean)
        .join(" · "),
    fields: [
      { name: "project_id", label: "bpProject", type: "row", of: "projects", required: true, once: true },
      NAME,
      { name: "env_name", label: "environment", hint: "environmentHint", required: true },
      { name: "config_data.domain", label: "domain", hint: "domainHint", optional: true },
      { name: "config_data.port", label: "port", hint: "portHint", type: "number", initial: 8080 },
      { name: "config_data.variables", label: "variables", hint: "variablesHint", type: "lines", initial: {} },
      { name: "config_data.replicas", label: "replicas", type: "number", initial: 1, more: true },
      { name: "config_data.cpus", label: "processors", type: "number", optional: true, more: true },
      { name: "config_data.memory_mb", label: "memory", type: "number", optional: true, more: true },
      { name: "config_data.backend_image", label: "backendImage", hint: "imageHint", optional: true, more: true },
      { name: "config_data.frontend_image", label: "frontendImage", hint: "imageHint", optional: true, more: true },
      {
        name: "status",
        label: "deploymentState",
        hint: "deploymentStateHint",
        type: "choice",
        options: ["idle", "deploying", "deployed", "failed"],
        names: "deploymentStates",
        onlyKnown: true,
        more: true,
      },
      { name: "deployed_version", label: "deployedVersion", hint: "deploymentStateHint", optional: true, onlyKnown: true, more: true },
    ],
    detail: deploymentDetail,
  },
];
