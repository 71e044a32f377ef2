import "element-plus/dist/index.css";
import "@/style.css";

import { createApp } from "vue";

import App from "@/App.vue";
import { project } from "@/project";
import { makeRouter } from "@/router";

document.documentElement.lang = project.language;
document.title = project.title;
createApp(App).use(makeRouter()).mount("#app");
