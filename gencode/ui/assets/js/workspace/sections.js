// The sections of the workspace, in groups. A resource is declared; its list and its form follow (resource.js).
//
// name      in the address of the page: #/workspace/models
// path      of the resource, below the API
// note      what a row of the list says besides its name
// upload    where a new row's file is sent; `uploads` says what the field takes, and `isUploaded` that there is no form
// isFixed   which rows nobody changes
// fields    of the form: `type` is text (the default), long, number, decimal, tags, lines, tick, choice, secret, model,
//           row (of the resource at the path `of`; `none` says what the empty one means), or ref (a branch of the
//           repository that the field `of` names); a name such as `config.port` is within an object;
//           `optional` ones are null when they are empty; `more` ones are below "More options"; `onlyNew` and
//           `onlyKnown` ones belong to forms of new or of stored rows; `once`: it cannot be changed
// detail    what stands below the form of a stored row
// actions   POST routes below a row; one that submits a task leads to it; `when`: for which rows there is one
// onlyForm  there is no list: the form submits a task
// part      shows what is below a row: #/workspace/knowledge/ID/DOCUMENT
// show      a view of its own, in place of list and form

import { BUILD } from "./sections/build.js";
import { CODE } from "./sections/code.js";
import { DOCUMENTS } from "./sections/documents.js";
import { SETTINGS } from "./sections/settings.js";

export const GROUPS = { build: BUILD, code: CODE, documents: DOCUMENTS, settings: SETTINGS };
